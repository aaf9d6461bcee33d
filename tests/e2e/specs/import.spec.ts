import { expect } from "@playwright/test";
import { test } from "../support/fixtures.ts";

test("[CANVAS-8] all that is wrong with a file is listed when it is imported", async ({ signedIn }) => {
  const page = await signedIn();
  const diagram = { nodes: [{ id: 7, data: {} }], edges: [{ id: "e", source: "a", target: "b" }] };
  const file = { format_version: 1, name: "", diagram };
  await page.getByTestId("import-file").first().setInputFiles({
    name: "broken.wflow.json",
    mimeType: "application/json",
    buffer: Buffer.from(JSON.stringify(file)),
  });
  const problems = page.getByTestId("import-problem");
  await expect(problems).toHaveCount(5);
  await expect(problems.filter({ hasText: "/diagram/nodes/0/id" })).toContainText("give a text");
  await expect(problems.filter({ hasText: "/diagram/edges/0/source" })).toContainText("there is no node a");
  await page.screenshot({ path: "screenshots/import-problems.png" });
});
