import { type BrowserContext, expect, type Page, test } from "@playwright/test";
import { Api } from "../support/api.ts";
import { Editor, signIn } from "../support/editor.ts";
import { Server } from "../support/server.ts";

let server: Server;
let api: Api;
let workflow: string;

test.beforeEach(async () => {
  server = await Server.start();
  api = await Api.signIn(server);
  workflow = await api.copyExample("Weather and delays");
});

test.afterEach(async () => {
  await server.remove();
});

/** An editor whose browser has all that it needs to open again without the server. */
async function opened(page: Page): Promise<Editor> {
  await signIn(page, server);
  const editor = new Editor(page);
  await editor.open(server, workflow);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
  return editor;
}

async function reopened(context: BrowserContext): Promise<Editor> {
  const editor = new Editor(await context.newPage());
  await editor.page.goto(`${server.url}/workflows/${workflow}`);
  return editor;
}

async function yOf(node: string): Promise<number> {
  return (await api.diagram(workflow)).nodes.find(({ id }) => id === node)?.position.y ?? 0;
}

test("[SYNC-3] edits made while the server is away are saved when it is back", async ({ page }) => {
  const editor = await opened(page);
  expect(await server.down()).toBe(0);
  await expect(editor.saveState).toHaveAttribute("data-state", "offline");
  await editor.drag("worst-first", 0, 120);
  await expect(editor.saveState).toHaveText("Offline, 1 change kept on this device");
  await editor.screenshot("offline");

  await server.up();
  await expect(editor.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  expect(await yOf("worst-first")).toBeGreaterThan(200);
});

test("[SYNC-16] a page that was closed opens and works without the server, and what it holds is merged", async ({
  page,
  context,
}) => {
  const before = await opened(page);
  await server.down();
  await expect(before.saveState).toHaveAttribute("data-state", "offline");
  await before.drag("worst-first", 0, 120);
  await expect(before.saveState).toHaveText("Offline, 1 change kept on this device");
  await page.close();

  const editor = await reopened(context);
  await expect(editor.saveState).toHaveText("Offline, 1 change kept on this device");
  await editor.node("worst-first").click();
  await editor.page.getByTestId("field-label").fill("Renamed without a server");
  await expect(editor.saveState).toHaveText("Offline, 2 changes kept on this device");
  await editor.screenshot("offline-reopened");

  await server.up();
  await expect(editor.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  expect(await yOf("worst-first")).toBeGreaterThan(200);
  const node = (await api.diagram(workflow)).nodes.find(({ id }) => id === "worst-first");
  expect(node?.data.label).toBe("Renamed without a server");
});

test("[SYNC-16] the list says which workflows hold unsaved changes; signing out asks, and takes everything", async ({
  page,
}) => {
  const editor = await opened(page);
  await server.down();
  await expect(editor.saveState).toHaveAttribute("data-state", "offline");
  await editor.drag("worst-first", 0, 120);
  await expect(editor.saveState).toHaveText("Offline, 1 change kept on this device");
  await page.getByTestId("back").click();
  const row = page.getByTestId(`workflow-${workflow}`);
  await expect(row.getByTestId("workflow-unsaved")).toBeVisible();
  await editor.screenshot("offline-list");

  await server.up();
  await page.getByTestId("sign-out").click();
  await page.getByTestId("dialog-submit").click();
  await expect(page.getByTestId("sign-in-form")).toBeVisible();
  await expect
    .poll(() => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)))
    .toEqual([]);
});

test("[SYNC-16] nobody sees what another person has left on the device", async ({ page, context }) => {
  const other = { name: "Olga", email: "olga@troupe.local", password: "a password of one's own" };
  await api.addPerson(other, "member");
  const editor = await opened(page);
  await server.down();
  await expect(editor.saveState).toHaveAttribute("data-state", "offline");
  await editor.drag("worst-first", 0, 120);
  await expect(editor.saveState).toHaveText("Offline, 1 change kept on this device");
  await server.up();
  await expect(editor.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  await server.down();
  await editor.drag("worst-first", 0, 120);
  await expect(editor.saveState).toHaveText("Offline, 1 change kept on this device");
  await page.close();

  // The sign-in has ended by other means than signing out: what was edited stays for who edited it.
  await context.clearCookies();
  await server.up();
  const olgas = await context.newPage();
  await olgas.goto(server.url);
  await olgas.evaluate(() => localStorage.removeItem("troupe.signed-in"));
  const y = await yOf("worst-first");
  await signIn(olgas, server, other);
  await expect(olgas.getByTestId(`workflow-${workflow}`)).toBeVisible();
  await expect(olgas.getByTestId("workflow-unsaved")).toHaveCount(0);
  await new Editor(olgas).open(server, workflow);
  expect(await yOf("worst-first")).toBe(y);
});

test("[SYNC-16] two pages of one browser: one closes, the other saves for both", async ({ page, context }) => {
  const first = await opened(page);
  const second = await reopened(context);
  await expect(second.saveState).toHaveAttribute("data-state", "saved");
  await server.down();
  await expect(first.saveState).toHaveAttribute("data-state", "offline");
  await expect(second.saveState).toHaveAttribute("data-state", "offline");
  await first.drag("worst-first", 0, 120);
  await expect(first.saveState).toHaveText("Offline, 1 change kept on this device");
  await page.close();

  await server.up();
  await expect(second.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
  await expect.poll(() => yOf("worst-first")).toBeGreaterThan(200);
});
