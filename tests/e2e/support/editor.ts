import { expect, type Locator, type Page } from "@playwright/test";
import { DEMO, type Server } from "./server.ts";

/** The sign-in page and the list behind it. */
export async function signIn(page: Page, server: Server): Promise<void> {
  await page.goto(server.url);
  await page.getByTestId("sign-in-email").fill(DEMO.email);
  await page.getByTestId("sign-in-password").fill(DEMO.password);
  await page.getByTestId("sign-in-submit").click();
  await expect(page.getByTestId("workflow-list")).toBeVisible();
}

/** One browser's view of one workflow. */
export class Editor {
  constructor(readonly page: Page) {}

  async open(server: Server, workflow: string): Promise<void> {
    await this.page.goto(`${server.url}/workflows/${workflow}`);
    await expect(this.saveState).toHaveAttribute("data-state", "saved");
  }

  get saveState(): Locator {
    return this.page.getByTestId("save-state");
  }

  get remoteCursors(): Locator {
    return this.page.getByTestId("remote-cursor");
  }

  get outputTable(): Locator {
    return this.page.getByTestId("output-table");
  }

  get problems(): Locator {
    return this.page.getByTestId("problem");
  }

  node(id: string): Locator {
    return this.page.getByTestId(`node-${id}`);
  }

  async tab(name: "run" | "logs" | "output" | "problems"): Promise<void> {
    await this.page.getByTestId(`tab-${name}`).click();
  }

  async run(): Promise<void> {
    await this.page.getByTestId("run-button").click();
  }
}
