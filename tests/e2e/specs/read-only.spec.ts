import { expect } from "@playwright/test";
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
