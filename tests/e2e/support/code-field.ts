import { expect, type Locator } from "@playwright/test";
import type { Editor } from "./editor.ts";

/** A code field of the selected node, which several people type in. */
export class CodeField {
  readonly content: Locator;

  constructor(
    readonly editor: Editor,
    key: string,
  ) {
    this.content = editor.page.getByTestId(`code-${key}`).locator(".cm-content");
  }

  async text(): Promise<string> {
    return await this.content.evaluate((content) =>
      [...content.querySelectorAll(".cm-line")]
        .map((line) => {
          const copy = line.cloneNode(true) as Element;
          for (const caret of copy.querySelectorAll(".cm-ySelectionCaret, .cm-widgetBuffer")) caret.remove();
          return copy.textContent;
        })
        .join("\n"),
    );
  }

  /** Puts the caret behind the first occurrence of some text, with the keyboard. */
  async goBehind(text: string): Promise<void> {
    const at = (await this.text()).indexOf(text);
    expect(at, `${text} is in the field`).toBeGreaterThanOrEqual(0);
    await this.content.focus();
    await this.editor.page.keyboard.press("Control+Home");
    for (let step = 0; step < at + text.length; step++) await this.editor.page.keyboard.press("ArrowRight");
    await expect.poll(() => this.beforeOwnCaret()).toBe((await this.text()).slice(0, at + text.length));
  }

  async type(text: string): Promise<void> {
    await this.editor.page.keyboard.type(text, { delay: 25 });
  }

  /** The text in front of this person's caret. */
  async beforeOwnCaret(): Promise<string> {
    return await this.content.evaluate((content) => {
      const selection = getSelection();
      if (!selection?.focusNode || !content.contains(selection.focusNode)) return "(no caret)";
      const range = document.createRange();
      range.setStart(content, 0);
      range.setEnd(selection.focusNode, selection.focusOffset);
      const before = range.cloneContents();
      for (const caret of before.querySelectorAll(".cm-ySelectionCaret, .cm-widgetBuffer")) caret.remove();
      return [...before.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n");
    });
  }

  /** The text in front of each other person's caret, as it is drawn. */
  async beforeOtherCarets(): Promise<string[]> {
    return await this.content.evaluate((content) =>
      [...content.querySelectorAll(".cm-ySelectionCaret")].map((drawn) => {
        const range = document.createRange();
        range.setStart(content, 0);
        range.setEndBefore(drawn);
        const before = range.cloneContents();
        for (const caret of before.querySelectorAll(".cm-ySelectionCaret, .cm-widgetBuffer")) caret.remove();
        return [...before.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n");
      }),
    );
  }
}
