import { expect, type Locator } from "@playwright/test";
import { CodeField } from "../support/code-field.ts";
import { Editor, signIn } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

const VERA = { name: "Vera", email: "vera@troupe.local", password: "a password of one's own" };

test("[SYNC-10] an open editor becomes read-only and editable again, without a reload", async ({
  api,
  server,
  browser,
}) => {
  const vera = await api.addPerson(VERA, "member");
  const workflow = await api.copyExample("Carrier punctuality");
  const context = await browser.newContext();
  const editor = new Editor(await context.newPage());
  const { page } = editor;
  await signIn(page, server, VERA);
  await editor.open(server, workflow);
  await expect(page.getByTestId("palette-sql")).toBeVisible();
  await editor.drag("airlines", 0, 80);
  await expect(editor.saveState).toHaveAttribute("data-state", "saved");
  await editor.node("with-airline").click();

  await test.step("read-only: nothing can be edited, everything is seen", async () => {
    await api.changeRole(vera, "viewer");
    await expect(editor.saveState).toHaveAttribute("data-state", "readonly", { timeout: 2_000 });
    await expect(page.getByTestId("read-only")).toBeVisible();
    await expect(page.getByTestId("palette-sql")).toHaveCount(0);
    await expect(editor.field("suffix")).toBeDisabled();
    await expect(page.getByTestId("undo")).toBeDisabled();
    await expect(page.getByTestId("auto-layout")).toBeDisabled();
    await expect(page.getByTestId("run")).toBeDisabled();

    const before = await api.diagram(workflow);
    await page.keyboard.press("Escape");
    await editor.drag("flights", 0, 120);
    await page.getByTestId("canvas").press("Delete");
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+d");
    await page.keyboard.press("d");
    // Somebody else's edit arrives, so nothing of the above can still be on its way.
    await api.patchDiagram(workflow, { nodes: { flights: { data: { label: "Seen by a reader" } } } });
    await expect(editor.node("flights")).toContainText("Seen by a reader");
    const { nodes } = await api.diagram(workflow);
    expect(nodes.map(({ id, position }) => ({ id, position }))).toEqual(
      before.nodes.map(({ id, position }) => ({ id, position })),
    );
    await editor.screenshot("read-only");
  });

  await test.step("editable again, and what is edited is saved", async () => {
    await api.changeRole(vera, "member");
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    await expect(page.getByTestId("read-only")).toHaveCount(0);
    await editor.node("with-airline").click();
    await editor.field("suffix").fill("_again");
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    const node = (await api.diagram(workflow)).nodes.find(({ id }) => id === "with-airline");
    expect(node?.data.config.suffix).toBe("_again");
  });
  await context.close();
});

test("[SYNC-10] what was edited without a connection and may not be saved any more is told, not kept", async ({
  api,
  server,
  browser,
}) => {
  const person = { ...VERA, name: "Viktor", email: "viktor@troupe.local" };
  const viktor = await api.addPerson(person, "member");
  const data = { label: "Query", nodeType: "sql", config: { query: "SELECT 1\nFROM input" } };
  const node = { id: "sql", type: "custom-node", position: { x: 0, y: 0 }, data };
  const workflow = await api.createWorkflow("Edited in vain", { nodes: [node] });
  const context = await browser.newContext();
  const editor = new Editor(await context.newPage());
  await signIn(editor.page, server, person);
  await editor.open(server, workflow);
  await editor.node("sql").click();
  await expect(new CodeField(editor, "query").content).toBeVisible();
  await context.setOffline(true);
  await expect(editor.saveState).toHaveAttribute("data-state", "offline");
  const field = new CodeField(editor, "query");
  await field.goBehind("SELECT 1");
  await field.type("23");
  await expect(editor.saveState).toHaveText("Offline, 1 change kept on this device");

  await api.changeRole(viktor, "viewer");
  await context.setOffline(false);
  await expect(editor.saveState).toHaveAttribute("data-state", "readonly", { timeout: 30_000 });
  await expect(editor.page.getByTestId("toast")).toContainText("Not saved: query of “Query”");
  await expect.poll(() => field.text()).toBe("SELECT 1\nFROM input");
  await editor.screenshot("read-only-not-saved");

  await test.step("and does not come back with the right to edit", async () => {
    await api.changeRole(viktor, "member");
    await editor.page.reload();
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    expect((await api.diagram(workflow)).nodes[0]?.data.config.query).toBe("SELECT 1\nFROM input");
  });
  await context.close();
});

test("[SYNC-10] a viewer is offered nothing that they may not do, and nothing that they try does anything", async ({
  api,
  server,
  browser,
}) => {
  const person = { ...VERA, name: "Vito", email: "vito@troupe.local" };
  const vito = await api.addPerson(person, "member");
  const node = (id: string, nodeType: string, config: object, x: number) => ({
    id,
    type: "custom-node",
    position: { x, y: 0 },
    data: { label: id, nodeType, config: config as Record<string, unknown> },
  });
  const nodes = [
    node("file", "read_file", { path: "airlines.csv", format: "csv" }, 0),
    node("query", "sql", { query: "SELECT 1\nFROM input" }, 320),
    node("limit", "limit", { rows: 5 }, 640),
  ];
  const edge = { id: "e", type: "custom-edge", source: "file", target: "query" };
  const workflow = await api.createWorkflow("Only looked at", { nodes, edges: [edge] });
  const context = await browser.newContext();
  const editor = new Editor(await context.newPage());
  const { page } = editor;
  await signIn(page, server, person);
  await editor.open(server, workflow);
  const canvas = page.getByTestId("canvas");
  const list = page.getByRole("listbox");
  const format = page.getByTestId("frame-format").locator("button");
  const field = new CodeField(editor, "query");

  await test.step("who may edit is offered all of it", async () => {
    expect(await offersDrop(canvas)).toBe(true);
    await editor.node("file").click();
    await format.click();
    await expect(list).toBeVisible();
    await page.keyboard.press("Escape");
    await editor.node("query").click();
    await field.goBehind("SELECT 1");
    await field.type("2");
    await field.goBehind("SELECT ");
    await page.keyboard.press("Control+Space");
    await expect(page.locator(".cm-tooltip-autocomplete")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    await page.keyboard.press("Control+k");
    await expect(page.getByTestId("command-palette")).toContainText("Auto-layout");
    await expect(page.getByTestId("command-palette")).toContainText("Add a step");
    await page.keyboard.press("Escape");
  });

  await api.changeRole(vito, "viewer");
  await expect(editor.saveState).toHaveAttribute("data-state", "readonly", { timeout: 2_000 });
  const before = await api.diagram(workflow);

  await test.step("command palette", async () => {
    await page.keyboard.press("Control+k");
    const commands = page.getByTestId("command-palette").getByRole("option");
    await expect(commands.first()).toBeVisible();
    const offered = await commands.allTextContents();
    expect(offered.splice(-3).sort(), "where one may go").toEqual(["fileRead file", "limitLimit", "querySQL"]);
    expect(offered).toEqual([
      expect.stringMatching(/^Fit the canvas/),
      expect.stringMatching(/^Select all/),
      "Show problems",
      "Show the log",
      "Export as .wflow.json",
      expect.stringMatching(/theme$/),
      "Back to the workflows",
    ]);
    await page.keyboard.press("Escape");
  });

  await test.step("fields, code and its completions", async () => {
    await field.goBehind("SELECT ");
    await field.type("345");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Control+Space");
    await page.keyboard.press("Control+z");
    await field.content.evaluate((content) => {
      const undo = { inputType: "historyUndo", bubbles: true, cancelable: true };
      content.dispatchEvent(new InputEvent("beforeinput", undo));
    });
    await page.evaluate(() => navigator.clipboard?.writeText("pasted").catch(() => undefined));
    await page.keyboard.press("Control+v");
    await expect(page.locator(".cm-tooltip-autocomplete")).toHaveCount(0);
    expect(await field.text()).toBe("SELECT 12\nFROM input");
    await editor.node("file").click();
    await expect(format).toBeDisabled();
    const box = await format.boundingBox();
    if (!box) throw new Error("the format is not on the screen");
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.keyboard.press("ArrowDown");
    await expect(list).toHaveCount(0);
  });

  await test.step("keyboard, clipboard and undo", async () => {
    await canvas.press("Control+a");
    await expect(page.getByTestId("properties")).toContainText("3 steps selected");
    for (const button of await page.getByTestId("properties").getByRole("button").all()) {
      await expect(button).toBeDisabled();
    }
    const keys = ["Control+x", "Control+v", "Control+d", "d", "F2", "ArrowDown", "Shift+ArrowRight", "Backspace"];
    for (const key of [...keys, "Delete", "Control+z", "Control+y", "Control+Shift+Z"]) await canvas.press(key);
    await editor.node("limit").click();
    for (const key of [...keys, "Delete", "Tab"]) await page.keyboard.press(key);
    await expect(page.getByTestId("palette")).toHaveCount(0);
  });

  await test.step("drag and drop, connections, context menus", async () => {
    expect(await offersDrop(canvas)).toBe(false);
    const out = await editor.node("query").getByTestId("port-out-out").boundingBox();
    const into = await editor.node("limit").getByTestId("port-in-in").boundingBox();
    if (!out || !into) throw new Error("the ports are not on the screen");
    await page.mouse.move(out.x + out.width / 2, out.y + out.height / 2);
    await page.mouse.down();
    await page.mouse.move(into.x + into.width / 2, into.y + into.height / 2, { steps: 10 });
    await expect(page.locator(".react-flow__connection")).toHaveCount(0);
    await page.mouse.up();
    await editor.drag("file", 0, 120);
    for (const place of [editor.node("file"), canvas]) await place.click({ button: "right" });
    await expect(page.getByRole("menu")).toHaveCount(0);
  });

  await test.step("nothing of it happened, here or there", async () => {
    await api.patchDiagram(workflow, { nodes: { limit: { data: { label: "Seen by a viewer" } } } });
    await expect(editor.node("limit")).toContainText("Seen by a viewer");
    await expect(editor.saveState).toHaveAttribute("data-unsaved", "0");
    const after = await api.diagram(workflow);
    expect(after.edges).toEqual(before.edges);
    expect(after.nodes.map(({ id, position }) => ({ id, position }))).toEqual(
      before.nodes.map(({ id, position }) => ({ id, position })),
    );
    expect(after.nodes.map(({ data }) => data.config)).toEqual(before.nodes.map(({ data }) => data.config));
    for (const { id } of before.nodes) await expect(editor.node(id)).toBeVisible();
    await expect(page.locator(".react-flow__node")).toHaveCount(3);
    await expect(page.locator(".react-flow__edge")).toHaveCount(1);
  });

  await test.step("an empty canvas, and the list", async () => {
    await page.goto(`${server.url}/workflows/${await api.createWorkflow("Empty, only looked at")}`);
    await expect(page.getByTestId("canvas-empty")).toHaveText(/^No steps yet/);
    await page.getByTestId("back").click();
    await page.getByTestId(`workflow-${workflow}`).getByTestId("workflow-actions").click();
    await expect(page.getByRole("menuitem")).toHaveText(["Export"]);
  });
  await context.close();
});

/** Whether the canvas would take a kind of step that is dragged over it. */
async function offersDrop(canvas: Locator): Promise<boolean> {
  return await canvas.evaluate((element) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.setData("application/x-troupe-node-type", "sql");
    const at = { bubbles: true, cancelable: true, dataTransfer, clientX: 700, clientY: 300 };
    return !element.dispatchEvent(new DragEvent("dragover", at));
  });
}
