import { expect, test } from "@playwright/test";
import type * as Y from "yjs";
import { Api } from "../support/api.ts";
import { BUDGET, createSoonRebuilt, QUERY, rebuild } from "../support/rebuild.ts";
import { Server } from "../support/server.ts";
import { hocuspocusSocket, StockHocuspocus, triggerNode } from "../support/stock-hocuspocus.ts";
import { StockProvider } from "../support/stock-provider.ts";

let server: Server;
let api: Api;
let workflow: string;

test.beforeAll(async () => {
  server = await Server.start(BUDGET);
  api = await Api.signIn(server);
});

test.beforeEach(async () => {
  workflow = await createSoonRebuilt(api);
});

test.afterAll(async () => {
  await server.remove();
});

const label = async () => (await api.diagram(workflow)).nodes.find(({ id }) => id === "start")?.data.label;
const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1_000));

test("[SYNC-15, SYNC-11] a stock provider is told once that the canvas was rebuilt, and goes on with a new document", async () => {
  const stock = await StockProvider.join(api, workflow);
  const told = new Promise((resolve) => stock.provider.on("closed", resolve));
  stock.data("start").set("label", "Before");
  await expect.poll(label).toBe("Before");

  await rebuild(api, workflow);
  expect(await told).toEqual({ code: 4409, reason: "this canvas was rebuilt; load it again" });
  await seconds(1);
  expect(stock.closes, "it does not try again").toEqual([4409]);
  stock.close();

  const fresh = await StockProvider.join(api, workflow);
  expect(fresh.data("start").get("label")).toBe("Before");
  expect((fresh.data("sql").get("config") as Y.Map<unknown>).get("query")?.toString()).toBe(QUERY);
  fresh.data("start").set("label", "After");
  await expect.poll(label).toBe("After");
  fresh.close();
});

test("[SYNC-15] what a stock provider has of a former epoch is refused whenever it comes back, and nothing of it is taken", async () => {
  const away = await StockProvider.join(api, workflow);
  away.provider.disconnect();
  away.doc.getMap("nodes").set("while-away", triggerNode("while-away"));
  away.data("start").set("label", "While away");

  await rebuild(api, workflow);
  const before = await api.diagram(workflow);
  await away.reconnect();
  await expect.poll(() => away.closes.at(-1)).toBe(4409);
  expect(await api.diagram(workflow)).toEqual(before);
  expect(before.nodes.map(({ id }) => id).sort()).toEqual(["sql", "start"]);

  // What it edited is in its document still, and can be written into a new one.
  const fresh = await StockProvider.join(api, workflow);
  fresh.data("start").set("label", away.data("start").get("label"));
  fresh.doc.getMap("nodes").set("while-away", away.node("while-away").clone());
  await expect.poll(label).toBe("While away");
  await expect.poll(async () => (await api.diagram(workflow)).nodes).toHaveLength(3);
  for (const each of [away, fresh]) each.close();
});

test("[SYNC-1, SYNC-11] after a lost line the ticket is used up, and a stock provider goes on with a fresh one", async () => {
  const stock = await StockProvider.join(api, workflow);
  const told = new Promise<{ code: number }>((resolve) => stock.provider.on("closed", resolve));
  stock.provider.ws?.close();
  stock.data("start").set("label", "Without a line");
  expect((await told).code).toBe(4401);
  await expect.poll(() => stock.provider.synced).toBe(true);
  await expect.poll(label).toBe("Without a line");
  stock.close();
});

test("[SYNC-2, SYNC-15] a rebuild ends one document of a stock Hocuspocus socket, and the others go on", async () => {
  const other = await createSoonRebuilt(api);
  const socket = hocuspocusSocket(api);
  const [old, beside] = [
    await StockHocuspocus.join(api, socket, workflow),
    await StockHocuspocus.join(api, socket, other),
  ];
  const told = new Promise<string>((resolve) => old.provider.on("close", ({ event }: { event: { reason: string } }) => resolve(event.reason)));
  let besideClosed = 0;
  beside.provider.on("close", () => besideClosed++);
  await rebuild(api, workflow);
  expect(await told).toBe("this canvas was rebuilt; load it again");
  old.close();

  const fresh = await StockHocuspocus.join(api, socket, workflow);
  for (const each of [fresh, beside]) {
    expect(each.nodes).toEqual(["sql", "start"]);
    each.addNode("added");
    await each.synced();
  }
  for (const id of [workflow, other]) expect((await api.diagram(id)).nodes).toHaveLength(3);
  expect(besideClosed).toBe(0);
  for (const each of [fresh, beside]) each.close();
  socket.destroy();
});

test("[SYNC-15, SYNC-11] a provider that comes back whatever the code costs little and disturbs nobody", async () => {
  const relentless = await StockProvider.joinRelentless(api, workflow);
  await rebuild(api, workflow);
  const [anna, ben] = [await StockProvider.join(api, workflow), await StockProvider.join(api, workflow)];

  const [before, annas, bens] = [relentless, anna, ben].map(({ closes }) => closes.length);
  for (let edit = 1; edit <= 20; edit++) {
    const sent = performance.now();
    anna.data("start").set("label", `Edit ${edit}`);
    await expect.poll(() => ben.data("start").get("label"), { intervals: [5] }).toBe(`Edit ${edit}`);
    expect(performance.now() - sent).toBeLessThan(1_000);
    await seconds(0.1);
  }
  const refused = relentless.closes.slice(before);
  expect(refused.length, "it did come back").toBeGreaterThan(3);
  expect(refused.length, "not faster than its own wait").toBeLessThan(40);
  expect(new Set(refused)).toEqual(new Set([4409]));
  expect([anna.closes.length, ben.closes.length]).toEqual([annas, bens]);
  expect((await api.diagram(workflow)).nodes).toHaveLength(2);
  for (const each of [relentless, anna, ben]) each.close();
});
