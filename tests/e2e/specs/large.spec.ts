import { expect, type Page } from "@playwright/test";
import * as Y from "yjs";
import { Api } from "../support/api.ts";
import { Editor, signIn } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";
import { Server } from "../support/server.ts";
import { hocuspocusSocket, StockHocuspocus } from "../support/stock-hocuspocus.ts";
import { StockProvider } from "../support/stock-provider.ts";

const MIB = 1024 * 1024;
const FILTERS = {
  nodes: ["a", "b"].map((id, index) => ({
    id,
    position: { x: 300 * index, y: 0 },
    data: { label: id, nodeType: "filter", config: { expression: "x" } },
  })),
  edges: [],
};

/** Pastes a text as the clipboard would, which cannot be filled with so much in every browser. */
async function paste(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector).first().waitFor();
  await page.evaluate(
    ([selector, text]) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text ?? "");
      const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
      document.querySelector(selector ?? "")?.dispatchEvent(event);
    },
    [selector, text],
  );
}

async function fill(editor: Editor, node: string, text: string): Promise<void> {
  await editor.node(node).click();
  await paste(editor.page, ".cm-content", text);
}

async function lengths(api: Api, workflow: string): Promise<unknown[]> {
  return (await api.diagram(workflow)).nodes.map(({ data }) => String(data.config?.expression).length);
}

test("[SYNC-18] a pasted megabyte, thousands of pasted steps, and an afternoon offline arrive", async ({
  api,
  server,
  signedIn,
}) => {
  test.slow();
  const editor = new Editor(await signedIn());
  const { page } = editor;
  await test.step("one field", async () => {
    const workflow = await api.createWorkflow("Pasted", FILTERS);
    await editor.open(server, workflow);
    await fill(editor, "a", "y".repeat(1_100_000));
    await expect.poll(() => lengths(api, workflow)).toEqual([1_100_001, 1]);
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
  });
  await test.step("two fields offline, each small enough", async () => {
    const workflow = await api.createWorkflow("Offline", FILTERS);
    await editor.open(server, workflow);
    await page.context().setOffline(true);
    for (const id of ["a", "b"]) await fill(editor, id, "z".repeat(700_000));
    await expect(editor.saveState).toHaveAttribute("data-state", "offline");
    await page.context().setOffline(false);
    await expect.poll(() => lengths(api, workflow)).toEqual([700_001, 700_001]);
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
  });
});

test("[SYNC-1, SYNC-2, SYNC-18] stock providers send what is large as one message, also when they are cut on the way", async ({
  api,
}) => {
  test.slow();
  const text = "0123456789abcdef".repeat(MIB / 2);
  const [first, second] = [await api.createWorkflow("One", FILTERS), await api.createWorkflow("Two", FILTERS)];
  const socket = hocuspocusSocket(api);
  const [websocket, hocuspocus] = [
    await StockProvider.join(api, first),
    await StockHocuspocus.join(api, socket, second),
  ];
  websocket.doc.getMap("notes").set("long", new Y.Text(text));
  // Cut while it is under way: it comes back and sends it again.
  websocket.provider.ws?.close();
  hocuspocus.doc.getMap("notes").set("long", new Y.Text(text));
  for (const workflow of [first, second]) {
    await expect.poll(async () => (await api.diagram(workflow)).notes?.long === text, { timeout: 60_000 }).toBe(true);
  }
  websocket.close();
  hocuspocus.close();
  socket.destroy();
});

test("[SYNC-18] what never fits is taken back with a plain message and kept for download; the person goes on", async ({
  browser,
}) => {
  const server = await Server.start({ TROUPE_LIMITS__CANVAS_BYTES_MAX: `${2 * MIB}` });
  try {
    const api = await Api.signIn(server);
    const workflow = await api.createWorkflow("Full", FILTERS);
    const page = await (await browser.newContext()).newPage();
    await signIn(page, server);
    const editor = new Editor(page);
    await editor.open(server, workflow);
    await fill(editor, "a", "x".repeat(3 * MIB));
    const toast = page.getByTestId("toast");
    await expect(toast).toContainText("This change does not fit");
    const downloading = page.waitForEvent("download");
    await toast.getByTestId("toast-action").click();
    expect((await downloading).suggestedFilename()).toBe("not-saved.json");
    await editor.node("b").click();
    await page.getByTestId("field-label").fill("later");
    await page.getByTestId("field-label").press("Enter");
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    await expect.poll(() => lengths(api, workflow)).toEqual([1, 1]);
    await expect.poll(async () => (await api.diagram(workflow)).nodes.map(({ data }) => data.label)).toEqual(["a", "later"]);
    await page.reload();
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    await page.context().close();
  } finally {
    await server.remove();
  }
});
