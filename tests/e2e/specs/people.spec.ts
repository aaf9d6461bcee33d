import { expect } from "@playwright/test";
import { Editor, signIn } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

test("[RBAC-4, RBAC-5] an owner changes a role by keyboard and takes access away; the person's page follows", async ({
  api,
  browser,
  server,
  signedIn,
}) => {
  const person = { name: "Nia Okafor", email: "nia@troupe.local", password: "a password of one's own" };
  const id = await api.addPerson(person, "member");
  const workflow = await api.createWorkflow("Followed");
  const context = await browser.newContext();
  const theirs = new Editor(await context.newPage());
  await signIn(theirs.page, server, person);
  await theirs.open(server, workflow);

  const owner = await signedIn();
  await owner.getByTestId("people-button").click();
  const row = owner.getByTestId(`person-${id}`);
  await expect(row.getByText(person.email)).toBeInViewport({ ratio: 1 });
  const role = row.getByTestId("role");
  const choose = async (name: string) => {
    await role.focus();
    await owner.keyboard.press("Enter");
    const option = owner.getByRole("option", { name });
    await option.waitFor();
    await owner.keyboard.type(name.slice(0, 3));
    await expect(option).toBeFocused();
    await owner.keyboard.press("Enter");
    await expect(role).toHaveText(name);
  };
  await choose("Viewer");
  await expect(theirs.saveState).toHaveAttribute("data-state", "readonly");
  for (const scheme of ["light", "dark"] as const) {
    await owner.emulateMedia({ colorScheme: scheme });
    await owner.screenshot({ path: `screenshots/people-${scheme}.png` });
  }
  await choose("Member");
  await expect(theirs.saveState).toHaveAttribute("data-state", "saved");

  await row.getByTestId("remove-person").click();
  const question = owner.getByTestId("remove-person-dialog");
  await expect(question).toContainText(person.name);
  await owner.screenshot({ path: "screenshots/people-remove.png" });
  await question.getByTestId("dialog-submit").click();
  await expect(row).toBeHidden();
  await expect(theirs.page.getByTestId("sign-in-ended")).toBeVisible();
  await theirs.page.screenshot({ path: "screenshots/sign-in-ended.png" });
  await context.close();
});

test("[RBAC-1] a viewer is offered nothing that they may not do", async ({ api, browser, server }) => {
  const person = { name: "Vi", email: "vi@troupe.local", password: "a password of one's own" };
  await api.addPerson(person, "viewer");
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, server, person);
  await expect(page.getByTestId("account-name")).toHaveText(person.name);
  for (const control of ["new-workspace", "new-workflow", "import-workflow", "people-button"]) {
    await expect(page.getByTestId(control)).toHaveCount(0);
  }
  await page.getByTestId("workflow-actions").first().click();
  await expect(page.getByTestId("workflow-export")).toBeVisible();
  await expect(page.getByTestId("workflow-rename")).toHaveCount(0);
  await expect(page.getByTestId("workflow-delete")).toHaveCount(0);
  await page.screenshot({ path: "screenshots/viewer.png" });
  await context.close();
});
