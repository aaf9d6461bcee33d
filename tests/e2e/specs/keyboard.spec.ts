import { expect, type Page } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

const STEPS = 6;

async function clipboardOf(page: Page): Promise<string> {
  return await page.evaluate(() => navigator.clipboard.readText());
}

test("[WEB-5] keys in a table, a log, a list or a panel touch no step; a table gives its rows", async ({
  api,
  server,
  signedIn,
}) => {
  const workflow = await api.copyExample("Carrier punctuality");
  const editor = new Editor(await signedIn());
  const { page } = editor;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await editor.open(server, workflow);
  const before = await api.diagram(workflow);
  const unchanged = async () => {
    await expect(page.locator(".react-flow__node")).toHaveCount(STEPS);
    await expect(page.locator(".react-flow__node.selected")).toHaveCount(1);
    await expect(editor.saveState).toHaveAttribute("data-unsaved", "0");
    expect(await api.diagram(workflow)).toEqual(before);
  };
  await editor.run();
  await expect(page.getByTestId("run-status")).toHaveAttribute("data-status", "success", { timeout: 60_000 });
  await editor.node("latest-first").click();

  await test.step("the output table", async () => {
    await editor.tab("output");
    await editor.outputTable.click({ position: { x: 60, y: 60 } });
    for (const key of ["Delete", "Backspace", "d", "Control+d", "F2", "ArrowDown", "1", "Control+x", "Tab"]) {
      await page.keyboard.press(key);
    }
    await editor.outputTable.click({ position: { x: 60, y: 60 } });
    await page.keyboard.press("Control+a");
    await expect(page.getByTestId("output-taken")).toContainText("16 rows selected");
    await editor.screenshot("rows-selected");
    await expect
      .poll(async () => {
        await page.keyboard.press("Control+c");
        return (await clipboardOf(page)).split("\n").length;
      })
      .toBe(17);
    const [header, first] = (await clipboardOf(page)).split("\n");
    const columns = await page.getByRole("columnheader").allTextContents();
    expect(columns.join(" ")).toContain(header?.split("\t")[0]);
    expect(first?.split("\t")).toHaveLength(header?.split("\t").length ?? -1);
    expect(first).toContain("Frontier Airlines Inc.");
    await page.keyboard.press("Delete");
    await unchanged();
  });

  await test.step("the log gives its lines", async () => {
    await editor.tab("logs");
    await page.getByTestId("logs").click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Control+c");
    const lines = await page.getByText(/^\d+ lines$/).textContent();
    expect((await clipboardOf(page)).split("\n")).toHaveLength(Number.parseInt(lines ?? "", 10));
    await page.keyboard.press("Delete");
    await unchanged();
  });

  await test.step("the run, the problems and the properties", async () => {
    for (const part of ["run-nodes", "tab-problems", "properties"]) {
      if (part === "run-nodes") await editor.tab("run");
      await page.getByTestId(part).click({ position: { x: 12, y: 12 } });
      for (const key of ["Control+a", "Delete", "d", "Control+d", "Control+x", "Control+v"]) await page.keyboard.press(key);
      await unchanged();
    }
  });

  await test.step("undo is of the canvas, from wherever no text is typed", async () => {
    await editor.drag("airlines", 0, 120);
    const yOf = async () => (await api.diagram(workflow)).nodes.find(({ id }) => id === "airlines")?.position.y;
    const wasAt = before.nodes.find(({ id }) => id === "airlines")?.position.y;
    await expect.poll(yOf).not.toBe(wasAt);
    await editor.tab("logs");
    await page.keyboard.press("Control+z");
    await expect.poll(yOf).toBe(wasAt);
    await page.keyboard.press("Control+Shift+z");
    await expect.poll(yOf).not.toBe(wasAt);
    await page.getByPlaceholder("Search the log").fill("x");
    await page.keyboard.press("Control+z");
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    expect(await yOf()).not.toBe(wasAt);
  });

  await test.step("the canvas has its keys again when it is clicked", async () => {
    await editor.node("latest-first").click();
    await page.keyboard.press("Delete");
    await expect.poll(async () => (await api.diagram(workflow)).nodes.length).toBe(STEPS - 1);
    await page.keyboard.press("Control+a");
    await expect(page.locator(".react-flow__node.selected")).toHaveCount(STEPS - 1);
  });
});

/** Presses a key as a keyboard of that layout does. */
async function press(page: Page, key: string, code: string, held: { ctrlKey?: boolean; shiftKey?: boolean } = {}) {
  await page.evaluate(
    (init) => document.body.dispatchEvent(new KeyboardEvent("keydown", { ...init, bubbles: true, cancelable: true })),
    { key, code, ...held },
  );
}

for (const [layout, [z, y, a, d, k]] of Object.entries({
  Cyrillic: ["я", "н", "ф", "в", "л"],
  Greek: ["ζ", "υ", "α", "δ", "κ"],
  Hebrew: ["ז", "ט", "ש", "ג", "ל"],
  Arabic: ["ئ", "غ", "ش", "ي", "ن"],
} as Record<string, [string, string, string, string, string]>)) {
  test(`[WEB-5] every shortcut works on a keyboard with ${layout} letters`, async ({ api, server, signedIn }) => {
    const step = (id: string, x: number) => ({
      id,
      position: { x, y: 0 },
      data: { label: id, nodeType: "limit", config: { rows: 1 } },
    });
    const workflow = await api.createWorkflow(layout, { nodes: [step("a", 0), step("b", 300)] });
    const editor = new Editor(await signedIn());
    const { page } = editor;
    await editor.open(server, workflow);
    const steps = page.locator(".react-flow__node");
    await editor.node("a").click();
    await page.keyboard.press("Delete");
    await expect(steps).toHaveCount(1);
    await press(page, z, "KeyZ", { ctrlKey: true });
    await expect(steps).toHaveCount(2);
    await press(page, y, "KeyY", { ctrlKey: true });
    await expect(steps).toHaveCount(1);
    await press(page, z, "KeyZ", { ctrlKey: true });
    await press(page, a, "KeyA", { ctrlKey: true });
    await expect(page.locator(".react-flow__node.selected")).toHaveCount(2);
    await press(page, d, "KeyD", { ctrlKey: true });
    await expect(steps).toHaveCount(4);
    await press(page, d, "KeyD");
    await expect(steps.filter({ hasText: "Disabled" })).toHaveCount(2);
    await press(page, k, "KeyK", { ctrlKey: true });
    await expect(page.getByTestId("command-palette")).toBeVisible();
  });
}
