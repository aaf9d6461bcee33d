import { expect } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

test("[WEB-2] two browsers edit one workflow, run it, and both watch", async ({ api, server, signedIn }) => {
  const workflow = await api.copyExample("Carrier punctuality");
  const [anna, ben] = [new Editor(await signedIn()), new Editor(await signedIn())];
  await anna.open(server, workflow);
  await ben.open(server, workflow);

  await test.step("each sees the other's cursor", async () => {
    for (const [one, other] of [
      [anna, ben],
      [ben, anna],
    ] as const) {
      await one.page.mouse.move(600, 260);
      await expect(other.remoteCursors).toHaveCount(1);
      const before = await other.remoteCursors.boundingBox();
      await one.page.mouse.move(760, 330, { steps: 5 });
      await expect.poll(async () => (await other.remoteCursors.boundingBox())?.x).not.toBe(before?.x);
    }
  });

  await test.step("a dragged node moves for the other", async () => {
    const before = await ben.node("airlines").boundingBox();
    await anna.drag("airlines", 60, 90);
    await expect
      .poll(async () => ((await ben.node("airlines").boundingBox())?.y ?? 0) - (before?.y ?? 0))
      .toBeGreaterThan(60);
    const mine = await anna.node("airlines").boundingBox();
    await expect.poll(async () => await ben.node("airlines").boundingBox()).toEqual(mine);
  });

  await test.step("a typed config is seen by the other", async () => {
    await anna.node("with-airline").click();
    await ben.node("with-airline").click();
    await anna.field("suffix").fill("_of_airline");
    await expect(ben.field("suffix")).toHaveValue("_of_airline");
    await expect(anna.saveState).toHaveAttribute("data-state", "saved");
    const node = (await api.diagram(workflow)).nodes.find((node) => node.id === "with-airline");
    expect(node?.data.config.suffix).toBe("_of_airline");
  });

  await test.step("one presses Run, both see the nodes go through their states", async () => {
    const [annaSaw, benSaw] = [await anna.watchStatuses("flights"), await ben.watchStatuses("flights")];
    await anna.run();
    for (const editor of [anna, ben]) {
      for (const id of ["start", "flights", "airlines", "with-airline", "by-airline", "latest-first"]) {
        await expect(editor.node(id)).toHaveAttribute("data-status", "completed", { timeout: 60_000 });
      }
    }
    for (const saw of [annaSaw, benSaw]) {
      expect((await saw()).slice(-2)).toEqual(["running", "completed"]);
    }
    await expect(ben.node("flights").getByTestId("node-rows")).toHaveAttribute("data-rows", "336776");
  });

  await test.step("the output table shows the known answers", async () => {
    await ben.node("latest-first").click();
    await ben.tab("output");
    await expect(ben.outputTable).toContainText("Frontier Airlines Inc.");
    const rows = await api.output((await api.runOf(workflow)).id, "latest-first");
    expect(rows).toHaveLength(16);
    const rounded = rows.map((row) => ({ ...row, mean_arr_delay: Number(row.mean_arr_delay).toFixed(4) }));
    expect(rounded[0]).toEqual({
      name: "Frontier Airlines Inc.",
      mean_arr_delay: "21.9207",
      flights: 685,
      flights_with_delay: 681,
    });
    expect(rounded[15]).toEqual({
      name: "Alaska Airlines Inc.",
      mean_arr_delay: "-9.9309",
      flights: 714,
      flights_with_delay: 709,
    });
    await anna.page.mouse.move(700, 430, { steps: 3 });
    await expect(ben.remoteCursors).toHaveCount(1);
    await ben.screenshot("editor-after-run");
  });
});
