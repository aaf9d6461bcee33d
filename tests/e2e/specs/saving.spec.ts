import { expect, type Page } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";
import { HeldAcknowledgements } from "../support/held-acknowledgements.ts";

/** Tries to close the page as a person does, and stays when it asks. */
async function asksBeforeClosing(page: Page): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    page.once("dialog", (dialog) => {
      dialog.dismiss().then(() => resolve(dialog.type() === "beforeunload"), reject);
    });
    page.once("close", () => resolve(false));
    page.close({ runBeforeUnload: true }).catch(reject);
  });
}

test("[SYNC-3] a page says saved after the acknowledgement and not before, and asks before it closes until then", async ({
  api,
  server,
  signedIn,
}) => {
  const workflow = await api.copyExample("Carrier punctuality");
  const page = await signedIn();
  const acknowledgements = await HeldAcknowledgements.of(page);
  const editor = new Editor(page);
  await editor.open(server, workflow);
  const yOf = async (id: string) => (await api.diagram(workflow)).nodes.find((node) => node.id === id)?.position.y;
  const before = await yOf("airlines");

  acknowledgements.hold();
  await editor.drag("airlines", 0, 120);
  await expect(editor.saveState).toHaveAttribute("data-state", "saving");
  await expect(editor.saveState).toHaveAttribute("data-unsaved", "1");
  await expect.poll(() => yOf("airlines")).not.toBe(before);
  await expect.poll(() => acknowledgements.count).toBe(1);
  await editor.drag("flights", 0, 80);
  await expect(editor.saveState).toHaveAttribute("data-unsaved", "2");
  await expect.poll(() => acknowledgements.count).toBe(2);
  await editor.screenshot("saving");

  // What is acknowledged is what came before it.
  acknowledgements.releaseOldest();
  await expect(editor.saveState).toHaveAttribute("data-unsaved", "1");
  await expect(editor.saveState).toHaveText("Saving…");
  expect(await asksBeforeClosing(page)).toBe(true);
  await expect(editor.saveState).toHaveText("Saving…");

  acknowledgements.release();
  await expect(editor.saveState).toHaveText("Saved");
  await expect(editor.saveState).toHaveAttribute("data-unsaved", "0");
  expect(await asksBeforeClosing(page)).toBe(false);
});

test("[SYNC-16] offline, a page asks before it closes only if its edits are nowhere else", async ({
  api,
  server,
  signedIn,
}) => {
  for (const keeps of [true, false]) {
    const workflow = await api.copyExample("Carrier punctuality");
    const page = await signedIn();
    if (!keeps) {
      await page.addInitScript(() => {
        IDBFactory.prototype.open = () => {
          throw new DOMException("nothing is kept here", "SecurityError");
        };
      });
    }
    const editor = new Editor(page);
    await editor.open(server, workflow);
    await page.context().setOffline(true);
    await expect(editor.saveState).toHaveAttribute("data-state", "offline");
    await editor.drag("airlines", 0, 120);
    const where = keeps ? "kept on this device" : "in this page only";
    await expect(editor.saveState).toHaveText(`Offline, 1 change ${where}`);
    expect(await asksBeforeClosing(page)).toBe(!keeps);
  }
});
