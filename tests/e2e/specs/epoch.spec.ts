import { expect, test } from "@playwright/test";
import { Api } from "../support/api.ts";
import { CodeField } from "../support/code-field.ts";
import { Editor, signIn } from "../support/editor.ts";
import { BUDGET, createSoonRebuilt, QUERY, rebuild } from "../support/rebuild.ts";
import { Server } from "../support/server.ts";

let server: Server;
let api: Api;
let workflow: string;

test.beforeEach(async () => {
  server = await Server.start(BUDGET);
  api = await Api.signIn(server);
  workflow = await createSoonRebuilt(api);
});

test.afterEach(async () => {
  await server.remove();
});

const query = async () => (await api.diagram(workflow)).nodes.find(({ id }) => id === "sql")?.data.config.query;

test("[SYNC-15] what was edited without a connection survives a rebuild, beside what others did", async ({
  page,
  context,
}) => {
  await signIn(page, server);
  const editor = new Editor(page);
  await editor.open(server, workflow);
  await editor.node("sql").click();
  const field = new CodeField(editor, "query");
  await field.goBehind("SELECT 1");
  await context.setOffline(true);
  await expect(editor.saveState).toHaveAttribute("data-state", "offline");
  await field.type("23");
  await editor.drag("start", 0, 160);
  await expect(editor.saveState).toHaveText("Offline, 2 changes kept on this device");

  await api.patchDiagram(workflow, { nodes: { sql: { data: { config: { query: `${QUERY}\nLIMIT 5` } } } } });
  await rebuild(api, workflow);
  await context.setOffline(false);
  await expect(editor.page.getByTestId("toast")).toContainText("rebuilt", { timeout: 30_000 });
  await expect(editor.saveState).toHaveAttribute("data-state", "saved");
  await expect.poll(query).toBe("SELECT 123\nFROM input\nLIMIT 5");
  await editor.node("sql").click();
  await expect.poll(() => field.text()).toBe("SELECT 123\nFROM input\nLIMIT 5");
  const start = (await api.diagram(workflow)).nodes.find(({ id }) => id === "start");
  expect(start?.position.y).toBeGreaterThan(50);
  await editor.screenshot("rebuilt");
});

test("[SYNC-15] nobody who types while the canvas is rebuilt loses a letter or the caret", async ({ page }) => {
  await signIn(page, server);
  const editor = new Editor(page);
  await editor.open(server, workflow);
  await editor.node("sql").click();
  const field = new CodeField(editor, "query");
  await field.goBehind("SELECT 1");
  const typed = "0123456789".repeat(12);
  await Promise.all([field.type(typed), rebuild(api, workflow)]);
  await expect(editor.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  await expect.poll(query).toBe(`SELECT 1${typed}\nFROM input`);
  expect(await field.text()).toBe(`SELECT 1${typed}\nFROM input`);
  expect(await field.beforeOwnCaret()).toBe(`SELECT 1${typed}`);
});
