import { expect, test } from "@playwright/test";
import { Api } from "../support/api.ts";
import { CodeField } from "../support/code-field.ts";
import { Editor, signIn } from "../support/editor.ts";
import { Server } from "../support/server.ts";
import { StockProvider } from "../support/stock-provider.ts";

const QUERY = "SELECT 1\nFROM input";
/** Soon over, by values that are overwritten. */
const BUDGET = { TROUPE_LIMITS__TOMBSTONE_BYTES_IDLE_MAX: "20000", TROUPE_LIMITS__TOMBSTONE_BYTES_MAX: "40000" };

let server: Server;
let api: Api;
let workflow: string;

test.beforeEach(async () => {
  server = await Server.start(BUDGET);
  api = await Api.signIn(server);
  const node = (id: string, nodeType: string, config = {}, x = 0) => ({
    id,
    type: "custom-node",
    position: { x, y: 0 },
    data: { label: id, nodeType, config },
  });
  workflow = await api.createWorkflow("Rebuilt", {
    nodes: [node("sql", "sql", { query: QUERY }), node("start", "manual_trigger", {}, 300)],
  });
});

test.afterEach(async () => {
  await server.remove();
});

/** Overwrites values until the document is over its budget and those who have it open are sent away. */
async function rebuild(): Promise<void> {
  const witness = await StockProvider.join(api, workflow);
  const closed = new Promise<number | undefined>((resolve) => {
    witness.provider.on("connection-close", (event: { code: number } | null) => resolve(event?.code));
  });
  let code: number | undefined;
  void closed.then((told) => {
    code = told;
  });
  for (let round = 0; code === undefined && round < 50; round++) {
    const notes = String(round % 10).repeat(30_000);
    // While it is rebuilt the server says: in a moment.
    await api.patchDiagram(workflow, { nodes: { start: { data: { notes } } } }).catch(() => undefined);
  }
  expect(await closed).toBe(4409);
  witness.close();
}

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
  await rebuild();
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
  await Promise.all([field.type(typed), rebuild()]);
  await expect(editor.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  await expect.poll(query).toBe(`SELECT 1${typed}\nFROM input`);
  expect(await field.text()).toBe(`SELECT 1${typed}\nFROM input`);
  expect(await field.beforeOwnCaret()).toBe(`SELECT 1${typed}`);
});
