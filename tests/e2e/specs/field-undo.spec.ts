import { expect, type Page } from "@playwright/test";
import type { Api } from "../support/api.ts";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";
import { FIELD_KINDS, type FieldKind, StepField, workflowWith } from "../support/step-field.ts";

/** Longer than what is typed together. */
const APART_MS = 600;

const undoButton = (page: Page) => page.getByTestId("undo");

/** What the server has, as text. */
async function stored(api: Api, workflow: string, kind: FieldKind): Promise<string> {
  const data = (await api.diagram(workflow)).nodes[0]?.data;
  return String((data && kind.stored(data)) ?? "");
}

for (const [name, kind] of Object.entries(FIELD_KINDS)) {
  test(`[CANVAS-6] what is typed, pasted and cut in ${name} is undone and done again step by step`, async ({
    api,
    server,
    signedIn,
  }) => {
    const workflow = await workflowWith(api, kind);
    const editor = new Editor(await signedIn());
    const { page } = editor;
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await editor.open(server, workflow);
    const field = new StepField(editor, kind);
    await field.enter();
    const says = async (text: string) => {
      await expect.poll(() => field.text()).toBe(text);
      await expect.poll(() => stored(api, workflow, kind)).toBe(text);
    };

    await test.step("one thing after the other", async () => {
      await field.type("2");
      await says("102");
      await page.waitForTimeout(APART_MS);
      await field.paste("345");
      await says("102345");
      await page.waitForTimeout(APART_MS);
      await field.type("6");
      await says("1023456");
      await page.waitForTimeout(APART_MS);
      await field.press("Shift+ArrowLeft");
      await field.press("Control+x");
      await says("102345");
      for (const before of ["1023456", "102345", "102", "10"]) {
        await field.press("Control+z");
        await says(before);
      }
      await expect(undoButton(page)).toBeDisabled();
      await field.press("Control+z");
      await says("10");
      await field.press("Control+Shift+z");
      await says("102");
      await field.press("Control+y");
      await says("102345");
    });
    await test.step("what is typed then stands where the text has changed", async () => {
      await field.press("ArrowLeft");
      await field.press("ArrowLeft");
      await field.type("9");
      await says("1023945");
      await field.press("Control+z");
      await says("102345");
      await field.type("8");
      await says("1023845");
    });
    await test.step("by the menu of the browser", async () => {
      await field.choose("undo");
      await says("102345");
    });
    await test.step("when the field was left", async () => {
      await page.locator(".react-flow__pane").click({ position: { x: 40, y: 300 } });
      await page.keyboard.press("Control+z");
      await expect.poll(() => stored(api, workflow, kind)).toBe("102");
      await page.keyboard.press("Control+Shift+z");
      await expect.poll(() => stored(api, workflow, kind)).toBe("102345");
      await undoButton(page).click();
      await expect.poll(() => stored(api, workflow, kind)).toBe("102");
      await editor.node("n").click();
      await field.field.click();
      await field.press("Control+z");
      await says("10");
    });
  });

  test(`[CANVAS-6] undo in ${name} leaves what another person types there meanwhile`, async ({
    api,
    server,
    signedIn,
  }) => {
    const workflow = await workflowWith(api, kind);
    const [anna, ben] = [new Editor(await signedIn()), new Editor(await signedIn())];
    const [hers, his] = [new StepField(anna, kind), new StepField(ben, kind)];
    for (const field of [hers, his]) {
      await field.editor.open(server, workflow);
      await field.enter();
    }
    const bothSay = async (text: string) => {
      for (const field of [hers, his]) await expect.poll(() => field.text()).toBe(text);
    };
    await hers.type("2");
    await bothSay("102");
    await his.press("Home");
    await his.type("3");
    await bothSay("3102");

    await hers.press("Control+z");
    // Letters of a shared text are everybody's own; any other text is one value, and now it is his.
    const without = name === "code" ? "310" : "3102";
    await bothSay(without);
    await hers.type("4");
    await bothSay(`${without}4`);
    await his.press("Control+z");
    await bothSay(name === "code" ? "104" : `${without}4`);
    await expect.poll(() => stored(api, workflow, kind)).toBe(await hers.text());
  });
}

for (const name of ["the name", "the notes", "an expression", "code"]) {
  const kind = FIELD_KINDS[name] as FieldKind;

  test(`[CANVAS-6] a word that is composed in ${name} is one step, and so is text that is dragged`, async ({
    api,
    server,
    signedIn,
  }) => {
    const workflow = await workflowWith(api, kind);
    const editor = new Editor(await signedIn());
    await editor.open(server, workflow);
    const field = new StepField(editor, kind);
    await field.enter();
    const says = async (text: string) => {
      await expect.poll(() => field.text()).toBe(text);
      await expect.poll(() => stored(api, workflow, kind)).toBe(text);
    };
    await field.type(" a");
    await editor.page.waitForTimeout(APART_MS);
    await field.compose("n", "ni", "に", "日本");
    await field.type("b");
    await says("10 a日本b");
    await field.press("Control+z");
    await says("10 a日本");
    await field.press("Control+z");
    await says("10 a");
    await field.press("Control+z");
    await says("10");
    await field.press("Control+y");
    await field.press("Control+y");
    await says("10 a日本");

    await field.dragLastToBegin("a日本");
    await says("a日本10 ");
    await field.press("Control+z");
    await says("10 a日本");
    await field.press("Control+Shift+z");
    await says("a日本10 ");
  });
}

test("[CANVAS-6] what is no number yet is undone by itself, and then the canvas", async ({ api, server, signedIn }) => {
  const kind = FIELD_KINDS["a number"] as FieldKind;
  const workflow = await workflowWith(api, kind);
  const editor = new Editor(await signedIn());
  await editor.open(server, workflow);
  await editor.drag("n", 0, 120);
  const field = new StepField(editor, kind);
  await field.enter();
  const yOf = async () => (await api.diagram(workflow)).nodes[0]?.position.y;
  await expect.poll(yOf).not.toBe(0);
  await field.type("-");
  await expect.poll(() => field.text()).toBe("10-");
  await field.press("Control+z");
  await expect.poll(() => field.text()).toBe("10");
  await expect(editor.saveState).toHaveAttribute("data-state", "saved");
  expect(await yOf()).not.toBe(0);
  await field.press("Control+z");
  await expect.poll(yOf).toBe(0);
});
