import { expect } from "@playwright/test";
import type { Api } from "./api.ts";
import { StockProvider } from "./stock-provider.ts";

/** Settings with which a canvas is soon over its budget, by nodes that come and go [SYNC-15]. */
export const BUDGET = {
  TROUPE_LIMITS__TOMBSTONE_BYTES_IDLE_MAX: "20000",
  TROUPE_LIMITS__TOMBSTONE_BYTES_MAX: "40000",
};

export const QUERY = "SELECT 1\nFROM input";

/** A workflow of two steps: `sql`, which holds a shared text, and `start`. */
export async function createSoonRebuilt(api: Api): Promise<string> {
  const node = (id: string, nodeType: string, config = {}, x = 0) => ({
    id,
    type: "custom-node",
    position: { x, y: 0 },
    data: { label: id, nodeType, config },
  });
  return await api.createWorkflow("Rebuilt", {
    nodes: [node("sql", "sql", { query: QUERY }), node("start", "manual_trigger", {}, 300)],
  });
}

/** Adds nodes and removes them until the document is over its budget and those who have it open are sent away. */
export async function rebuild(api: Api, workflow: string): Promise<void> {
  const witness = await StockProvider.join(api, workflow);
  for (let round = 0; !witness.closes.includes(4409) && round < 50; round++) {
    for (const node of [{ data: { label: "Passing", nodeType: "manual_trigger" } }, null]) {
      const ids = Array.from({ length: 200 }, (_, n) => `passing-${n}`);
      await api.patchDiagram(workflow, { nodes: Object.fromEntries(ids.map((id) => [id, node])) });
    }
  }
  await expect.poll(() => witness.closes).toContain(4409);
  witness.close();
}
