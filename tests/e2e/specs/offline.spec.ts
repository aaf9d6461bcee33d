import { expect, test } from "@playwright/test";
import { Api } from "../support/api.ts";
import { Editor, signIn } from "../support/editor.ts";
import { Server } from "../support/server.ts";

test("[SYNC-3] edits made while the server is away are saved when it is back", async ({ page }) => {
  const server = await Server.start();
  try {
    const api = await Api.signIn(server);
    const workflow = await api.copyExample("Weather and delays");
    await signIn(page, server);
    const editor = new Editor(page);
    await editor.open(server, workflow);

    expect(await server.down()).toBe(0);
    await expect(editor.saveState).toHaveAttribute("data-state", "offline");
    await editor.drag("worst-first", 0, 120);
    await editor.screenshot("offline");

    await server.up();
    await expect(editor.saveState).toHaveAttribute("data-state", "saved", { timeout: 30_000 });
    const moved = (await api.diagram(workflow)).nodes.find((node) => node.id === "worst-first");
    expect(moved?.position.y).toBeGreaterThan(200);
  } finally {
    await server.remove();
  }
});
