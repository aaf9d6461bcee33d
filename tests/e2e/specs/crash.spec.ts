import { expect, test } from "@playwright/test";
import { AcknowledgedEditor } from "../support/acknowledged-editor.ts";
import { Api, type Diagram, type RunEvent } from "../support/api.ts";
import { Server } from "../support/server.ts";

let server: Server;

test.beforeEach(async () => {
  server = await Server.start();
});

test.afterEach(async () => {
  await server.remove();
});

test("[SYNC-3] an acknowledged edit survives kill -9", async () => {
  const api = await Api.signIn(server);
  const workflow = await api.createWorkflow("Edited through crashes");
  const expected = new Set<string>();
  for (const round of [1, 2, 3]) {
    const ticket = await api.collabTicket(workflow);
    const editor = await AcknowledgedEditor.join(`${server.socketUrl}/collab/${workflow}?ack=1&ticket=${ticket}`);
    // Goes on editing without waiting, and dies when some is acknowledged and some is in flight.
    let count = 0;
    const typing = setInterval(() => {
      for (let burst = 0; burst < 5; burst++) editor.addNode(`node-${round}-${count++}`);
    }, 1);
    await editor.until(() => editor.acknowledged.length >= 100);
    await server.kill();
    clearInterval(typing);
    editor.close();
    for (const id of editor.acknowledged) expected.add(id);
    await server.up();
  }
  const diagram = await api.diagram(workflow);
  const present = new Set(diagram.nodes.map((node) => node.id));
  expect([...expected].filter((id) => !present.has(id))).toEqual([]);
  expect(expected.size).toBeGreaterThanOrEqual(300);
});

test("[RUN-3] a run goes on after kill -9, and no completed node runs twice", async () => {
  const api = await Api.signIn(server);
  const workflow = await api.createWorkflow("Runs through crashes", longDiagram());
  const run = await api.startRun(workflow);
  for (const moment of ["step-1", "step-3", "step-5"]) {
    await expect
      .poll(async () => completed(await api.events(run)), { intervals: [20], timeout: 30_000 })
      .toContain(moment);
    expect((await api.run(run)).status).toBe("running");
    await server.kill();
    await server.up();
  }
  const finished = await api.finished(run);
  expect(finished.status).toBe("success");

  const events = await api.events(run);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  expect(completed(events).sort()).toEqual(longDiagram().nodes.map((node) => node.id).sort());
  for (const [index, event] of events.entries()) {
    if (event.type !== "node_completed") continue;
    const later = events.slice(index + 1).filter((other) => other.node_id === event.node_id);
    expect(later, `nothing happens to ${event.node_id} after it completed`).toEqual([]);
  }
  const rows = await api.output(run, "by-airline");
  expect(rows).toHaveLength(16);
});

function completed(events: RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === "node_completed" && event.node_id ? [event.node_id] : []));
}

/** A chain of waits beside a query on the flights, so that a crash finds both at work. */
function longDiagram(): Diagram {
  const steps = [1, 2, 3, 4, 5, 6, 7].map((number) => `step-${number}`);
  const node = (id: string, nodeType: string, config = {}, y = 0) => ({
    id,
    type: "custom-node",
    position: { x: 0, y },
    data: { label: id, nodeType, config },
  });
  const edge = (source: string, target: string) => ({ id: `${source}-${target}`, type: "custom-edge", source, target });
  return {
    nodes: [
      node("start", "manual_trigger"),
      ...steps.map((id) => node(id, "delay", { duration_ms: 400 })),
      node("flights", "read_file", { path: "flights.csv.gz", format: "csv", null_values: ["NA"] }, 200),
      node(
        "by-airline",
        "aggregate",
        { group_by: ["carrier"], aggregations: [{ function: "count", name: "flights" }] },
        200,
      ),
    ],
    edges: [
      ...steps.map((id, index) => edge(steps[index - 1] ?? "start", id)),
      edge("start", "flights"),
      edge("flights", "by-airline"),
    ],
  };
}
