import { expect, test } from "@playwright/test";
import { Api } from "../support/api.ts";
import { Server } from "../support/server.ts";
import { hocuspocusSocket, StockHocuspocus, triggerNode } from "../support/stock-hocuspocus.ts";
import { StockProvider } from "../support/stock-provider.ts";

let server: Server;
let api: Api;

test.beforeAll(async () => {
  server = await Server.start();
  api = await Api.signIn(server);
});

test.afterAll(async () => {
  await server.remove();
});

test("[SYNC-2] stock Hocuspocus providers edit beside a stock y-websocket provider", async () => {
  const workflow = await api.createWorkflow("Two framings");
  const sockets = [hocuspocusSocket(api), hocuspocusSocket(api)] as const;
  const ann = await StockHocuspocus.join(api, sockets[0], workflow);
  const bob = await StockHocuspocus.join(api, sockets[1], workflow);
  const eve = await StockProvider.join(api, workflow);
  expect(ann.provider.authorizedScope).toBe("read-write");

  const expected: string[] = [];
  for (let round = 0; round < 20; round++) {
    ann.addNode(`ann-${round}`);
    bob.addNode(`bob-${round}`);
    eve.doc.getMap("nodes").set(`eve-${round}`, triggerNode(`eve-${round}`));
    expected.push(`ann-${round}`, `bob-${round}`, `eve-${round}`);
  }
  expected.sort();
  // Nothing is settled in the moment of the edit, and everything a little later
  expect(ann.provider.unsyncedChanges).toBe(20);
  for (const each of [ann, bob]) {
    await expect.poll(() => each.nodes).toEqual(expected);
    await expect.poll(() => each.provider.unsyncedChanges).toBe(0);
  }
  await expect.poll(() => [...eve.doc.getMap("nodes").keys()].sort()).toEqual(expected);
  await expect.poll(async () => (await api.diagram(workflow)).nodes.map((node) => node.id).sort()).toEqual(expected);

  ann.provider.setAwarenessField("cursor", "ann is here");
  eve.provider.awareness.setLocalStateField("cursor", "eve is here");
  await expect.poll(() => bob.cursors).toEqual(expect.arrayContaining(["ann is here", "eve is here"]));
  const seenByEve = () => [...eve.provider.awareness.getStates().values()].map((state) => state.cursor);
  await expect.poll(seenByEve).toContain("ann is here");
  ann.close();
  await expect.poll(() => bob.cursors).not.toContain("ann is here");

  bob.close();
  eve.close();
  for (const socket of sockets) socket.destroy();
});

test("[SYNC-2] many documents share one socket, and one is opened twice", async () => {
  const socket = hocuspocusSocket(api);
  const workflows = await Promise.all(["one", "two", "three"].map((name) => api.createWorkflow(name)));
  const documents = await Promise.all(workflows.map((workflow) => StockHocuspocus.join(api, socket, workflow)));
  const twin = new StockHocuspocus(api, socket, workflows[0] ?? "", undefined, true);
  await twin.synced();
  for (const [index, document] of documents.entries()) document.addNode(`of-${index}`);
  for (const [index, document] of documents.entries()) {
    await expect.poll(() => document.provider.unsyncedChanges).toBe(0);
    expect(document.nodes).toEqual([`of-${index}`]);
  }
  await expect.poll(() => twin.nodes).toEqual(["of-0"]);

  // One leaves and comes back, on the socket as it is
  documents[1]?.close();
  const again = await StockHocuspocus.join(api, socket, workflows[1] ?? "");
  expect(again.nodes).toEqual(["of-1"]);

  // One that may not be opened does not touch the others
  const stranger = new StockHocuspocus(api, socket, workflows[2] ?? "", async () => "guess", true);
  await expect.poll(() => stranger.failures).toHaveLength(1);
  twin.addNode("of-twin");
  await expect.poll(() => documents[0]?.nodes).toEqual(["of-0", "of-twin"]);
  socket.destroy();
});

test("[SYNC-2, SYNC-3] what a stock Hocuspocus provider calls synced survives kill -9", async () => {
  const workflow = await api.createWorkflow("Hocuspocus through crashes");
  const socket = hocuspocusSocket(api);
  const ann = await StockHocuspocus.join(api, socket, workflow);
  for (let count = 0; count < 50; count++) ann.addNode(`node-${count}`);
  const before = ann.nodes;
  await new Promise<void>((resolve) => {
    ann.provider.on("unsyncedChanges", ({ number }: { number: number }) => number === 0 && resolve());
  });
  await server.kill();
  await expect.poll(() => ann.provider.synced).toBe(false);
  ann.addNode("while-it-was-down");
  await server.up();
  expect((await api.diagram(workflow)).nodes.map((node) => node.id).sort()).toEqual(before);

  // The provider comes back by itself, with what was edited meanwhile
  await ann.synced();
  const after = (await api.diagram(workflow)).nodes.map((node) => node.id);
  expect(after).toContain("while-it-was-down");
  ann.close();
  socket.destroy();
});
