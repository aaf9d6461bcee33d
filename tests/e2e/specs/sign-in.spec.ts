import { expect } from "@playwright/test";
import { signIn } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";
import { DEMO, Server } from "../support/server.ts";

test("a wrong password is refused without a hint, the right one leads to the workflows", async ({ page }) => {
  // A server of its own: others' workflows would fill the first page of the list.
  const server = await Server.start();
  await page.goto(server.url);
  await page.getByTestId("email").fill(DEMO.email);
  await page.getByTestId("password").fill("not the password");
  await page.getByTestId("sign-in-submit").click();
  await expect(page.getByTestId("form-error")).toBeVisible();
  await page.screenshot({ path: "screenshots/sign-in.png" });

  await signIn(page, server);
  for (const name of ["Carrier punctuality", "Weather and delays", "Busiest routes"]) {
    await expect(page.getByTestId("workflows").getByText(name, { exact: true })).toBeVisible();
  }
  await page.screenshot({ path: "screenshots/workflows.png" });
  await server.remove();
});

test("a reload keeps the session", async ({ signedIn }) => {
  const page = await signedIn();
  await page.reload();
  await expect(page.getByTestId("workflows")).toBeVisible();
});

test("[AUTH-1] an owner adds a person, who sees the same workflows and can add nobody", async ({
  signedIn,
  browser,
  server,
}) => {
  const owner = await signedIn();
  const person = { name: "Second", email: "second@troupe.local", password: "a password of one's own" };
  await owner.getByTestId("people-button").click();
  await owner.getByTestId("add-person").click();
  for (const [field, value] of Object.entries(person)) await owner.getByTestId(`person-${field}`).fill(value);
  await owner.getByTestId("add-person-dialog").getByRole("button", { name: "Add", exact: true }).click();
  await expect(owner.getByTestId("add-person-dialog")).toBeHidden();

  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, server, person);
  await expect(page.getByTestId("account-name")).toHaveText(person.name);
  // Others may have made workspaces that come before it.
  await page.getByRole("button", { name: "Examples", exact: true }).click();
  await expect(page.getByTestId("workflows").getByText("Carrier punctuality", { exact: true })).toBeVisible();
  await expect(page.getByTestId("people-button")).toHaveCount(0);
  await context.close();
});
