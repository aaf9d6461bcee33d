import { expect } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

test("[CANVAS-5] an edge shows the columns that go along it", async ({ api, server, signedIn }) => {
  const workflow = await api.copyExample("Busiest routes");
  const editor = new Editor(await signedIn());
  await editor.open(server, workflow);
  const columns = (edge: string) => editor.page.getByTestId(`edge-columns-${edge}`);
  await expect(columns("columns-busiest-first")).toHaveText("5");
  await expect(columns("columns-busiest-first")).toHaveAttribute("title", /^origin: string\ndest: string\n/);
  await expect(columns("columns-busiest-first")).toBeVisible();
  await expect(columns("start-flights")).toHaveCount(0);
  await editor.screenshot("edge-columns");
});

test("[CANVAS-5] a wrong column is a problem before anything runs", async ({ api, server, signedIn }) => {
  const workflow = await api.copyExample("Busiest routes");
  const editor = new Editor(await signedIn());
  await editor.open(server, workflow);
  await editor.tab("problems");
  await expect(editor.problems).toHaveCount(0);

  const config = (await api.diagram(workflow)).nodes.find((node) => node.id === "by-route")?.data.config;
  const setColumns = async (columns: string[]) => {
    await api.patchDiagram(workflow, { nodes: { "by-route": { data: { config: { ...config, group_by: columns } } } } });
  };
  await setColumns(["origin", "destination"]);
  await expect(editor.problems.filter({ hasText: "destination" })).not.toHaveCount(0);
  await editor.screenshot("problems");

  await setColumns(["origin", "dest"]);
  await expect(editor.problems).toHaveCount(0);
});
