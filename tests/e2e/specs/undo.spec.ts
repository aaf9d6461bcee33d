import { expect } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

test("[CANVAS-6] a value that two people set in turns is never taken from the other", async ({
  api,
  server,
  signedIn,
}) => {
  const node = {
    id: "limit",
    type: "custom-node",
    position: { x: 0, y: 0 },
    data: { label: "Limit", nodeType: "limit", config: { rows: 5 } },
  };
  const workflow = await api.createWorkflow("A limit", { nodes: [node] });
  const [anna, ben] = [new Editor(await signedIn()), new Editor(await signedIn())];
  for (const editor of [anna, ben]) {
    await editor.open(server, workflow);
    await editor.node("limit").click();
  }
  const set = async (editor: Editor, value: string) => {
    await editor.field("rows").fill(value);
    for (const each of [anna, ben]) await expect(each.field("rows")).toHaveValue(value);
    // What is typed within a moment is one step.
    await editor.page.waitForTimeout(600);
  };
  await set(ben, "20");
  await set(anna, "30");
  await set(ben, "40");

  await ben.page.getByTestId("undo").click();
  await expect(anna.field("rows")).toHaveValue("30");
  await ben.page.getByTestId("undo").click();
  await expect(ben.page.getByTestId("undo")).toBeDisabled();
  await expect(ben.field("rows")).toHaveValue("30");
  await expect(anna.field("rows")).toHaveValue("30");
});
