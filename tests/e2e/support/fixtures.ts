import { test as base, type BrowserContext, type Page } from "@playwright/test";
import { Api } from "./api.ts";
import { signIn } from "./editor.ts";
import { Server } from "./server.ts";

interface TestFixtures {
  /** A new browser of its own, signed in as the demo user. */
  signedIn: () => Promise<Page>;
}

interface WorkerFixtures {
  server: Server;
  api: Api;
}

/** Tests that share one server; each works on workflows of its own. */
export const test = base.extend<TestFixtures, WorkerFixtures>({
  server: [
    // Playwright reads the names of the fixtures from the pattern
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.remove();
    },
    { scope: "worker" },
  ],
  api: [async ({ server }, use) => await use(await Api.signIn(server)), { scope: "worker" }],
  signedIn: async ({ browser, server }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext();
      contexts.push(context);
      const page = await context.newPage();
      await signIn(page, server);
      return page;
    });
    for (const context of contexts) await context.close();
  },
});
