import { expect } from "@playwright/test";
import { CodeField } from "../support/code-field.ts";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

const QUERY = "SELECT * FROM input";

test("an imported query takes keys where it was first clicked", async ({ api, server, signedIn }) => {
  const node = {
    id: "q",
    type: "custom-node",
    position: { x: 0, y: 0 },
    data: { label: "Query", nodeType: "sql", config: { query: QUERY } },
  };
  const workflow = await api.createWorkflow("A query", { nodes: [node] });
  const editor = new Editor(await signedIn());
  await editor.open(server, workflow);
  await editor.node("q").click();
  const field = new CodeField(editor, "query");

  // Behind the last character: the line ends there, and the field goes on.
  const line = await field.content.locator(".cm-line").first().boundingBox();
  await field.content.click({ position: { x: (line?.width ?? 0) - 4, y: 14 } });
  await field.type(" LIMIT 1");
  const query = async () => (await api.diagram(workflow)).nodes[0]?.data.config.query;
  await expect.poll(query).toBe(`${QUERY} LIMIT 1`);

  await editor.page.keyboard.press("Control+z");
  await expect.poll(query).toBe(QUERY);
});
