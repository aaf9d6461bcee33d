import { expect, type Page } from "@playwright/test";
import * as Y from "yjs";
import type { Api } from "../support/api.ts";
import { BROKEN_ELEMENTS } from "../support/broken-elements.ts";
import { CodeField } from "../support/code-field.ts";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";
import { StockProvider } from "../support/stock-provider.ts";

const step = (id: string, x: number, nodeType = "limit", config = {}) => ({
  id,
  position: { x, y: 0 },
  data: { label: id, nodeType, config },
});

/** Lets somebody write into a canvas past the editor, until the server has it or has refused it. */
async function write(api: Api, workflow: string, change: (doc: Y.Doc) => void): Promise<void> {
  const writer = await StockProvider.join(api, workflow);
  writer.doc.transact(() => change(writer.doc));
  const reader = await StockProvider.join(api, workflow);
  const hasCome = () => reader.doc.store.clients.has(writer.doc.clientID);
  await expect.poll(() => writer.closes.length > 0 || hasCome()).toBe(true);
  writer.close();
  reader.close();
}

async function rename(editor: Editor, id: string, name: string): Promise<void> {
  await editor.node(id).click();
  await editor.page.getByTestId("field-label").fill(name);
  await editor.page.getByTestId("field-label").press("Enter");
}

function failuresOf(page: Page): string[] {
  const failures: string[] = [];
  page.on("pageerror", (error) => failures.push(error.message));
  return failures;
}

test("[CANVAS-9] a page opens whatever somebody has written, and the good step is edited", async ({
  api,
  server,
  signedIn,
}) => {
  test.setTimeout(300_000);
  const editor = new Editor(await signedIn());
  const failures = failuresOf(editor.page);
  for (const [what, put] of Object.entries(BROKEN_ELEMENTS)) {
    await test.step(what, async () => {
      const workflow = await api.createWorkflow(what, { nodes: [step("good", 0), step("other", 400)] });
      await write(api, workflow, (doc) => {
        const [nodes, edges, notes, meta] = (["nodes", "edges", "notes", "meta"] as const).map((root) => doc.getMap(root));
        if (nodes && edges && notes && meta) put({ nodes, edges, notes, meta });
      });
      await editor.open(server, workflow);
      await rename(editor, "good", `Renamed beside ${what}`);
      const labels = async () => (await api.diagram(workflow)).nodes.map(({ data }) => data.label);
      await expect.poll(labels, { message: what }).toContain(`Renamed beside ${what}`);
      await editor.tab("problems");
      await expect(editor.page.getByTestId("part-failed"), what).toHaveCount(0);
      expect(failures, what).toEqual([]);
    });
  }
});

test("[CANVAS-9] each kind of wrong value in a step's own fields leaves its properties usable", async ({
  api,
  server,
  signedIn,
}) => {
  const workflow = await api.createWorkflow("Fields", { nodes: [step("good", 0, "sort"), step("other", 400)] });
  await write(api, workflow, (doc) => {
    const config = new Y.Map<unknown>([["by", new Y.Map([["column", 1]])], ["columns", "x"], ["rows", new Y.Text("7")]]);
    const good = doc.getMap("nodes").get("good") as Y.Map<unknown>;
    (good.get("data") as Y.Map<unknown>).set("config", config);
  });
  const editor = new Editor(await signedIn());
  const failures = failuresOf(editor.page);
  await editor.open(server, workflow);
  await rename(editor, "good", "Renamed");
  await expect(editor.node("good")).toContainText("Renamed");
  await expect(editor.page.getByTestId("part-failed")).toHaveCount(0);
  expect(failures).toEqual([]);
});

test("[CANVAS-9] twenty thousand steps that came by sync do not stop the page", async ({ api, server, signedIn }) => {
  test.setTimeout(180_000);
  const workflow = await api.createWorkflow("Many", { nodes: [step("good", 0), step("other", 400)] });
  const writer = await StockProvider.join(api, workflow);
  for (let from = 0; from < 20_000 && writer.closes.length === 0; from += 1_000) {
    writer.doc.transact(() => {
      for (let index = from; index < from + 1_000; index++) {
        const data = new Y.Map<unknown>([
          ["label", `${index}`],
          ["nodeType", "limit"],
          ["config", new Y.Map()],
        ]);
        // Half of them lie upon each other.
        const position = index % 2 === 0 ? { x: 3_000, y: 0 } : { x: (index % 200) * 260, y: 300 + Math.floor(index / 200) * 120 };
        const node = new Y.Map<unknown>([["type", "custom-node"], ["position", position], ["data", data]]);
        writer.doc.getMap("nodes").set(`n${index}`, node);
      }
    });
    // Each in a frame of its own, and those in order.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const shared = await StockProvider.join(api, workflow);
  await expect
    .poll(() => writer.closes.length > 0 || shared.doc.getMap("nodes").size > 20_000, { timeout: 90_000 })
    .toBe(true);
  writer.close();
  shared.close();

  const editor = new Editor(await signedIn());
  const failures = failuresOf(editor.page);
  const started = Date.now();
  await editor.page.goto(`${server.url}/workflows/${workflow}`);
  await expect(editor.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  await editor.page.getByTestId("commands").click({ timeout: 10_000 });
  await editor.page.getByPlaceholder("Search commands").fill("go to good");
  await editor.page.keyboard.press("Enter");
  await expect(editor.node("good")).toBeVisible({ timeout: 10_000 });
  console.log(`opened, searched and gone to after ${Date.now() - started} ms`);
  await rename(editor, "good", "Renamed among many");
  const renamed = async () =>
    (await api.diagram(workflow)).nodes.find(({ id }) => id === "good")?.data.label === "Renamed among many";
  await expect.poll(renamed, { timeout: 30_000 }).toBe(true);
  await editor.screenshot("many-steps");
  expect(failures).toEqual([]);
});

test("[SYNC-9] what a viewer says of their caret and pointer ends nobody's editor", async ({
  api,

  server,
  signedIn,
}) => {
  const query = "SELECT carrier\nFROM input";
  const workflow = await api.createWorkflow("Carets", { nodes: [step("sql", 0, "sql", { query })] });
  const viewer = { name: "Vic", email: "vic@troupe.local", password: "a password of one's own" };
  await api.addPerson(viewer, "viewer");
  const editor = new Editor(await signedIn());
  const failures = failuresOf(editor.page);
  await editor.open(server, workflow);
  await editor.node("sql").click();
  const field = new CodeField(editor, "query");
  await field.goBehind("carrier");

  const theirs = await StockProvider.join(await api.as(viewer), workflow);
  const { awareness } = theirs.provider;
  const text = ((theirs.data("sql").get("config") as Y.Map<unknown>).get("query") as Y.Text);
  const { client } = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, 3)).item;
  const places = [
    { item: { client, clock: -1 } },
    { item: { client, clock: 0.5 } },
    { item: { client: -5, clock: 2 ** 53 } },
    { type: { client, clock: -7 } },
    { item: "x", type: [], tname: 1, assoc: {} },
    null,
    7,
  ];
  for (const place of places) {
    awareness.setLocalState({
      textCursor: { anchor: place, head: place },
      cursor: { x: 1e308, y: -1e308 },
      drag: { sql: { x: 1e300, y: "a" } },
      selection: { length: 3 },
      field: [],
    });
    // A pointer that can be drawn tells that what was said before it has come.
    await expect.poll(() => editor.page.getByTestId("avatar").count()).toBe(1);
  }
  awareness.setLocalState({ cursor: { x: 5, y: 5 } });
  await expect(editor.remoteCursors).toHaveCount(1);
  await field.type("_code");
  await expect.poll(() => text.toString()).toContain("carrier_code");
  await expect(editor.node("sql")).toBeInViewport();
  expect(failures).toEqual([]);
  theirs.close();
});
