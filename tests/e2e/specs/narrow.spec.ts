import { expect, type Page } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

const WIDTHS = [390, 768];

/** Nothing is wider than the screen, in either theme. Kept for people to look at. */
async function fits(page: Page, name: string): Promise<void> {
  const width = page.viewportSize()?.width;
  const scroll = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await expect.poll(scroll, { message: `${name} at ${width}` }).toBeLessThanOrEqual(0);
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `screenshots/narrow-${width}-${name}-${colorScheme}.png`, animations: "disabled" });
  }
}

for (const width of WIDTHS) {
  test.describe(`[WEB-6] at ${width} pixels`, () => {
    test.use({ viewport: { width, height: 844 } });

    test("nobody scrolls sideways to sign in or to register", async ({ page, server }) => {
      await page.goto(`${server.url}/sign-in`);
      await expect(page.getByTestId("sign-in-form")).toBeVisible();
      await fits(page, "sign-in");
      await page.getByTestId("to-register").click();
      await expect(page.getByTestId("register-form")).toBeVisible();
      await fits(page, "register");
    });

    test("the workflows, their search, the people and the dialogs fit", async ({ signedIn }) => {
      const page = await signedIn();
      await page.setViewportSize({ width, height: 844 });
      await fits(page, "home");
      await page.getByTestId("workflow-actions").first().click();
      await fits(page, "home-menu");
      await page.keyboard.press("Escape");
      await page.getByTestId("people-button").click();
      await expect(page.getByTestId("people")).toBeVisible();
      await fits(page, "people");
      await page.getByTestId("add-person").click();
      await fits(page, "add-person");
      await page.keyboard.press("Escape");
      await page.getByTestId("people-close").click();
      await page.getByTestId("new-workspace").click();
      await page.getByTestId("name-input").fill("A workspace with a name that is longer than a phone is wide");
      await page.getByTestId("dialog-submit").click();
      await expect(page.getByTestId("empty-state")).toBeVisible();
      await fits(page, "home-empty");
    });

    test("in the editor everything of the header is reached: look, run, watch, cancel, undo, publish", async ({
      api,
      server,
      signedIn,
    }) => {
      const workflow = await api.copyExample("Carrier punctuality");
      const editor = new Editor(await signedIn());
      const { page } = editor;
      await page.setViewportSize({ width, height: 844 });
      await editor.open(server, workflow);
      await fits(page, "editor");
      const header = ["back", "workflow-name", "undo", "redo", "auto-layout", "validate-state", "commands"];
      for (const control of [...header, "theme-toggle", "toggle-properties", "publish", "run"]) {
        await expect(page.getByTestId(control), control).toBeInViewport({ ratio: 1 });
      }

      await test.step("run, watch, look at the rows", async () => {
        await editor.run();
        await expect(page.getByTestId("run-status")).toHaveAttribute("data-status", "success", { timeout: 60_000 });
        await fits(page, "editor-run");
        await editor.node("latest-first").click();
        await editor.tab("output");
        await expect(editor.outputTable).toBeVisible();
        await fits(page, "editor-output");
        await editor.tab("logs");
        await fits(page, "editor-logs");
      });

      await test.step("a step's properties are as wide as the screen allows", async () => {
        await editor.node("latest-first").click();
        const properties = page.getByTestId("properties");
        await expect(properties).toBeVisible();
        await page.getByTestId("field-label").fill("Latest of all");
        await fits(page, "editor-properties");
        const box = await properties.boundingBox();
        expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= width).toBe(true);
        if (width < 768) {
          expect(box?.width).toBe(width);
          await page.getByTestId("close-properties").click();
          await expect(properties).toHaveCount(0);
        }
        await page.getByTestId("undo").click();
        await expect(editor.node("latest-first")).not.toContainText("Latest of all");
      });

      await test.step("publish", async () => {
        await page.getByTestId("publish").click();
        await expect(page.getByTestId("change").first()).toBeVisible();
        await expect(page.getByTestId("dialog-submit")).toBeInViewport({ ratio: 1 });
        await fits(page, "publish");
        await page.getByTestId("dialog-submit").click();
        await expect(page.getByTestId("publish-dialog")).toHaveCount(0);
      });

      await test.step("a step is added", async () => {
        if (width < 768) await page.getByTestId("show-steps").click();
        const entry = page.getByTestId("palette-limit");
        await entry.scrollIntoViewIfNeeded();
        await fits(page, "steps");
        await entry.click();
        await expect.poll(async () => (await api.diagram(workflow)).nodes.length).toBe(7);
        await fits(page, "editor-added");
      });

      await test.step("the commands", async () => {
        await page.getByTestId("commands").click();
        await fits(page, "commands");
      });
    });

    test("a run is canceled", async ({ api, server, signedIn }) => {
      const workflow = await api.createWorkflow("Long", {
        nodes: [
          { id: "start", position: { x: 0, y: 0 }, data: { label: "Start", nodeType: "manual_trigger", config: {} } },
          { id: "wait", position: { x: 280, y: 0 }, data: { label: "Wait", nodeType: "delay", config: { duration_ms: 600_000 } } },
        ],
        edges: [{ id: "e", source: "start", target: "wait" }],
      });
      const editor = new Editor(await signedIn());
      const { page } = editor;
      await page.setViewportSize({ width, height: 844 });
      await editor.open(server, workflow);
      await editor.run();
      await page.getByTestId("cancel-run").click();
      await expect(page.getByTestId("run-status")).toHaveAttribute("data-status", "canceled");
      await fits(page, "editor-canceled");
    });
  });
}
