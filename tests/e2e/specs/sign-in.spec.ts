import { expect } from "@playwright/test";
import { signIn } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";
import { DEMO } from "../support/server.ts";

test("a wrong password is refused without a hint, the right one leads to the workflows", async ({ page, server }) => {
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
});

test("a reload keeps the session", async ({ signedIn }) => {
  const page = await signedIn();
  await page.reload();
  await expect(page.getByTestId("workflows")).toBeVisible();
});
