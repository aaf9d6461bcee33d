import type { Locator, Page } from "@playwright/test";
import type { Api, DiagramNode } from "./api.ts";
import type { Editor } from "./editor.ts";

/** A field of a step: where it is on the page, and what it writes. */
export interface FieldKind {
  nodeType: string;
  config: Record<string, unknown>;
  find: (page: Page) => Locator;
  stored: (data: DiagramNode["data"]) => unknown;
}

const codeMirror = (testId: string) => (page: Page) => page.getByTestId(testId).locator(".cm-content");

/** Each kind of field whose text is written to the canvas as it is typed, with a text in it. */
export const FIELD_KINDS: Record<string, FieldKind> = {
  "the name": {
    nodeType: "limit",
    config: { rows: 1 },
    find: (page) => page.getByTestId("field-label"),
    stored: ({ label }) => label,
  },
  "the notes": {
    nodeType: "limit",
    config: { rows: 1 },
    find: (page) => page.getByTestId("frame-notes").locator("textarea"),
    stored: (data) => (data as { notes?: string }).notes,
  },
  "a text": {
    nodeType: "read_file",
    config: { path: "10" },
    find: (page) => page.getByTestId("field-path"),
    stored: ({ config }) => config.path,
  },
  "a number": {
    nodeType: "limit",
    config: { rows: 10 },
    find: (page) => page.getByTestId("field-rows"),
    stored: ({ config }) => config.rows,
  },
  "an expression": {
    nodeType: "filter",
    config: { expression: "10" },
    find: codeMirror("expression-expression"),
    stored: ({ config }) => config.expression,
  },
  "an expression in a list": {
    nodeType: "derive",
    config: { columns: [{ name: "a", expression: "10" }] },
    find: codeMirror("expression-columns-0-expression"),
    stored: ({ config }) => (config.columns as { expression: string }[])[0]?.expression,
  },
  "a column": {
    nodeType: "sort",
    config: { by: [{ column: "10" }] },
    find: (page) => page.getByTestId("field-by-0-column"),
    stored: ({ config }) => (config.by as { column: string }[])[0]?.column,
  },
  code: {
    nodeType: "sql",
    config: { query: "10" },
    find: codeMirror("code-query"),
    stored: ({ config }) => config.query,
  },
};

/** One step with one such field, whose text is `10`. */
export async function workflowWith(api: Api, { nodeType, config }: FieldKind): Promise<string> {
  const data = { label: "10", nodeType, config, notes: "10" };
  return await api.createWorkflow("A field", { nodes: [{ id: "n", position: { x: 0, y: 0 }, data }] });
}

/** One person in that field. */
export class StepField {
  readonly field: Locator;

  constructor(
    readonly editor: Editor,
    kind: FieldKind,
  ) {
    this.field = kind.find(editor.page);
  }

  /** Opens the step and goes behind its text. */
  async enter(): Promise<void> {
    await this.editor.node("n").click();
    await this.field.click();
    await this.field.press("End");
  }

  async type(text: string): Promise<void> {
    await this.editor.page.keyboard.type(text, { delay: 20 });
  }

  /** As with the keyboard, what is on the clipboard. */
  async paste(text: string): Promise<void> {
    await this.editor.page.evaluate((text) => navigator.clipboard.writeText(text), text);
    await this.editor.page.keyboard.press("Control+v");
  }

  async press(key: string): Promise<void> {
    await this.editor.page.keyboard.press(key);
  }

  /** Composes a word as an input method does: what it says changes until it is accepted. */
  async compose(...stages: string[]): Promise<void> {
    const devtools = await this.editor.page.context().newCDPSession(this.editor.page);
    for (const text of stages) {
      await devtools.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
      // Longer than what is typed together.
      await this.editor.page.waitForTimeout(500);
    }
    await devtools.send("Input.insertText", { text: stages.at(-1) ?? "" });
    await devtools.detach();
  }

  /** What the menu of a browser does: no key is pressed. */
  async choose(command: "undo"): Promise<void> {
    const devtools = await this.editor.page.context().newCDPSession(this.editor.page);
    await devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", commands: [command] });
    await devtools.detach();
  }

  /** Selects the last characters and drags them to the beginning. */
  async dragLastToBegin(last: string): Promise<void> {
    const { mouse } = this.editor.page;
    await this.press("End");
    for (const _ of last) await this.press("Shift+ArrowLeft");
    const text = await this.text();
    const from = await this.pointIn(`${text.slice(0, -last.length)}${last.slice(0, last.length / 2)}`);
    const to = await this.pointIn("");
    await mouse.move(from.x, from.y);
    await mouse.down();
    await mouse.move((from.x + to.x) / 2, from.y, { steps: 4 });
    await mouse.move(to.x, to.y, { steps: 4 });
    await mouse.up();
  }

  /** The place on the screen behind some characters from the beginning of the field. */
  private async pointIn(before: string): Promise<{ x: number; y: number }> {
    return await this.field.evaluate((field, before) => {
      const line = field.querySelector(".cm-line") ?? field;
      const { left, top } = line.getBoundingClientRect();
      const style = getComputedStyle(line);
      const pen = new OffscreenCanvas(1, 1).getContext("2d");
      if (!pen) throw new Error("nothing to measure with");
      pen.font = style.font;
      const x = left + Number.parseFloat(style.paddingLeft) + pen.measureText(before).width;
      return { x, y: top + Number.parseFloat(style.paddingTop) + 10 };
    }, before);
  }

  /** Without the carets of others. */
  async text(): Promise<string> {
    return await this.field.evaluate((field) => {
      if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) return field.value;
      const copy = field.cloneNode(true) as Element;
      for (const drawn of copy.querySelectorAll(".cm-ySelectionCaret, .cm-widgetBuffer, .cm-placeholder")) drawn.remove();
      return copy.textContent ?? "";
    });
  }
}
