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

test("[SYNC-1, SYNC-2, SYNC-9, SYNC-10] both stock providers on one document: editors, viewers, a change of role", async () => {
  const eve = { name: "Eve", email: "eve@troupe.local", password: "a password of one's own" };
  const eveId = await api.addPerson(eve, "viewer");
  const eves = await Api.signIn(server, eve);
  const workflow = await api.createWorkflow("Editors and viewers");
  const sockets = [hocuspocusSocket(api), hocuspocusSocket(eves)] as const;

  const plain = await StockProvider.join(api, workflow);
  const framed = await StockHocuspocus.join(api, sockets[0], workflow);
  const plainViewer = await StockProvider.join(eves, workflow);
  const framedViewer = await StockHocuspocus.join(eves, sockets[1], workflow);
  expect(framed.provider.authorizedScope).toBe("read-write");
  expect(framedViewer.provider.authorizedScope).toBe("readonly");
  const stranger = new StockHocuspocus(api, sockets[0], workflow, async () => "guess", true);
  await expect.poll(() => stranger.failures).toHaveLength(1);

  const everybody = [plain, framed, plainViewer, framedViewer];
  const nodes = ({ doc }: { doc: StockProvider["doc"] }) => [...doc.getMap("nodes").keys()].sort();
  const cursors = ({ provider }: (typeof everybody)[number]) =>
    [...(provider.awareness?.getStates().values() ?? [])].map((state) => state.cursor as unknown);

  // Viewers see everything, and are seen
  plain.doc.getMap("nodes").set("plain", triggerNode("plain"));
  framed.addNode("framed");
  for (const each of everybody) await expect.poll(() => nodes(each)).toEqual(["framed", "plain"]);
  const here = ["plain", "framed", "plain viewer", "framed viewer"];
  for (const [index, { provider }] of everybody.entries()) {
    provider.awareness?.setLocalStateField("cursor", here[index]);
  }
  for (const each of everybody) await expect.poll(() => cursors(each)).toEqual(expect.arrayContaining(here));

  // What they draw stays with them: their next word in awareness says that it has been looked at
  plainViewer.doc.getMap("nodes").set("plain viewer", triggerNode("plain viewer"));
  plainViewer.provider.awareness.setLocalStateField("cursor", "plain viewer drew");
  framedViewer.addNode("framed viewer");
  framedViewer.provider.setAwarenessField("cursor", "framed viewer drew");
  const drew = ["plain viewer drew", "framed viewer drew"];
  for (const each of [plain, framed]) {
    await expect.poll(() => cursors(each)).toEqual(expect.arrayContaining(drew));
    expect(nodes(each)).toEqual(["framed", "plain"]);
  }
  expect((await api.diagram(workflow)).nodes).toHaveLength(2);
  expect(framedViewer.provider.unsyncedChanges).toBe(1);

  // Promoted, they are asked for what they have
  await api.changeRole(eveId, "member");
  await expect.poll(() => framedViewer.provider.authorizedScope).toBe("read-write");
  const all = ["framed", "framed viewer", "plain", "plain viewer"];
  for (const each of everybody) await expect.poll(() => nodes(each)).toEqual(all);
  await expect.poll(() => framedViewer.provider.unsyncedChanges).toBe(0);
  expect((await api.diagram(workflow)).nodes).toHaveLength(4);

  // Taken away, both are told for good, and nobody else is disturbed
  const code = new Promise<number | undefined>((resolve) => {
    plainViewer.provider.once("connection-close", (event: { code: number } | null) => resolve(event?.code));
  });
  await api.removePerson(eveId);
  expect(await code).toBe(4403);
  plainViewer.close();
  await expect.poll(() => framedViewer.failures).toEqual(["your access was taken away"]);
  framed.addNode("last");
  await expect.poll(() => nodes(plain)).toEqual([...all, "last"].sort());
  expect(nodes(framedViewer)).toEqual(all);

  for (const each of [plain, framed, framedViewer]) each.close();
  for (const socket of sockets) socket.destroy();
});
