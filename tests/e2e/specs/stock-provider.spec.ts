import { expect } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";
import { StockProvider } from "../support/stock-provider.ts";

test("[SYNC-1] the stock y-websocket provider edits beside a browser", async ({ api, server, signedIn }) => {
  const workflow = await api.copyExample("Carrier punctuality");
  const editor = new Editor(await signedIn());
  await editor.open(server, workflow);
  const stock = await StockProvider.join(api, workflow);

  stock.node("flights").set("position", { x: 300, y: -120 });
  stock.data("flights").set("label", "Flights of 2013");
  await expect(editor.node("flights")).toContainText("Flights of 2013");

  await editor.drag("airlines", 0, 140);
  await expect.poll(() => (stock.node("airlines").get("position") as { y: number }).y).toBeGreaterThan(300);

  const awareness = () => [...stock.provider.awareness.getStates().values()];
  await expect.poll(() => awareness().some((state) => state.user?.name !== undefined)).toBe(true);

  await expect
    .poll(async () => (await api.diagram(workflow)).nodes)
    .toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          id: "flights",
          position: { x: 300, y: -120 },
          data: expect.objectContaining({ label: "Flights of 2013" }),
        }),
        expect.objectContaining({ id: "airlines", position: stock.node("airlines").get("position") }),
      ]),
    );
  stock.close();
});
