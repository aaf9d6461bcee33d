import { expect } from "@playwright/test";
import { Editor, signIn } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

test("[CANVAS-7] who changed what is shown, and what was seen is published", async ({ api, server, browser, signedIn }) => {
  const workflow = await api.copyExample("Carrier punctuality");
  const ben = { name: "Ben", email: "publish-ben@example.com", password: "e2e-ben-password" };
  await api.addPerson(ben, "member");
  const page = await (await browser.newContext()).newPage();
  await signIn(page, server, ben);
  const [anna, editor] = [new Editor(await signedIn()), new Editor(page)];
  await anna.open(server, workflow);
  await editor.open(server, workflow);

  await test.step("a version of what is there", async () => {
    await anna.page.getByTestId("publish").click();
    await expect(anna.page.getByTestId("change").first()).toHaveAttribute("data-change", "added");
    await anna.page.getByTestId("publish-note").fill("The first");
    await anna.page.getByTestId("dialog-submit").click();
    await expect(anna.page.getByTestId("publish-dialog")).toHaveCount(0);
  });

  await test.step("a step tells who changed it last", async () => {
    await editor.node("with-airline").click();
    await editor.field("suffix").fill("_of_airline");
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    await anna.node("with-airline").click();
    await expect(anna.page.getByTestId("last-change")).toContainText("Changed by Ben");
  });

  await test.step("the changes of both, and nothing unseen is published", async () => {
    await anna.drag("airlines", 40, 40);
    await expect(anna.saveState).toHaveAttribute("data-state", "saved");
    await anna.page.getByTestId("publish").click();
    const by = (name: string) => anna.page.locator(`[data-testid=changes-by][data-author="${name}"]`);
    await expect(by("Ben").getByTestId("change")).toHaveAttribute("data-change", "changed");
    await expect(anna.page.locator("[data-testid=change][data-change=moved]")).toHaveCount(1);
    await anna.screenshot("publish");
    await editor.field("suffix").fill("_of_the_airline");
    await expect(editor.saveState).toHaveAttribute("data-state", "saved");
    await anna.page.getByTestId("dialog-submit").click();
    await expect(anna.page.getByTestId("toast").filter({ hasText: "meanwhile" })).toBeVisible();
    await expect(anna.page.getByTestId("publish-dialog")).toBeVisible();
    await anna.page.getByTestId("dialog-submit").click();
    await expect(anna.page.getByTestId("publish-dialog")).toHaveCount(0);
  });

  const versions = await api.versions(workflow);
  expect(versions.map(({ number, note, published }) => [number, note, published])).toEqual([
    [2, "", true],
    [1, "The first", false],
  ]);
  expect(versions[0]?.authors.map(({ name }) => name)).toContain("Ben");
  await page.context().close();
});
