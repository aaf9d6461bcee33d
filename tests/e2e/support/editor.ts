import { type ElementHandle, expect, type Locator, type Page } from "@playwright/test";
import { DEMO, type Server } from "./server.ts";

/** The sign-in page and the list behind it. */
export async function signIn(page: Page, server: Server, person = DEMO): Promise<void> {
  await page.goto(server.url);
  await page.getByTestId("email").fill(person.email);
  await page.getByTestId("password").fill(person.password);
  await page.getByTestId("sign-in-submit").click();
  await expect(page.getByTestId("workflows")).toBeVisible();
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
    return this.page.getByTestId("cursor");
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

  /** A field of the selected node's config. */
  field(key: string): Locator {
    return this.page.getByTestId(`field-${key}`);
  }

  async tab(name: "run" | "logs" | "output" | "problems"): Promise<void> {
    await this.page.getByTestId(`tab-${name}`).click();
  }

  async run(): Promise<void> {
    await this.page.getByTestId("run").click();
  }

  /** Drags a node by its middle, in steps as a hand does. */
  async drag(id: string, dx: number, dy: number): Promise<void> {
    const box = await this.node(id).boundingBox();
    if (!box) throw new Error(`${id} is not on the screen`);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await this.page.mouse.move(x, y);
    await this.page.mouse.down();
    await this.page.mouse.move(x + dx, y + dy, { steps: 10 });
    await this.page.mouse.up();
  }

  /** Starts to note every status that a node shows; the result gives what was noted so far. */
  async watchStatuses(id: string): Promise<() => Promise<string[]>> {
    const node = await this.node(id).elementHandle();
    const seen = await this.page.evaluateHandle((element) => {
      const statuses: string[] = [];
      const note = () => {
        const status = element?.getAttribute("data-status");
        if (status && statuses.at(-1) !== status) statuses.push(status);
      };
      if (element) new MutationObserver(note).observe(element, { attributeFilter: ["data-status"] });
      return statuses;
    }, node as ElementHandle<HTMLElement>);
    return async () => await seen.jsonValue();
  }

  /** Kept for people to look at. */
  async screenshot(name: string): Promise<void> {
    for (const colorScheme of ["dark", "light"] as const) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.screenshot({ path: `screenshots/${name}-${colorScheme}.png`, animations: "disabled" });
    }
  }
}
