import { expect } from "@playwright/test";
import type { Api } from "../support/api.ts";
import { CodeField } from "../support/code-field.ts";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

const QUERY = "SELECT carrier\nFROM input";

/** Two people in the query of one step. */
async function together(api: Api, signedIn: () => Promise<Editor["page"]>, query?: string) {
  const node = {
    id: "sql",
    type: "custom-node",
    position: { x: 0, y: 0 },
    data: { label: "Query", nodeType: "sql", config: query === undefined ? {} : { query } },
  };
  const workflow = await api.createWorkflow("Typed in by two", { nodes: [node] });
  const fields = [];
  for (const editor of [new Editor(await signedIn()), new Editor(await signedIn())]) {
    await editor.open(api.server, workflow);
    await editor.node("sql").click();
    fields.push(new CodeField(editor, "query"));
  }
  const [anna, ben] = fields as [CodeField, CodeField];
  await expect(anna.content).toBeVisible();
  await expect(ben.content).toBeVisible();
  return { anna, ben, workflow };
}

async function converged(anna: CodeField, ben: CodeField, text: string | RegExp): Promise<string> {
  await expect.poll(() => anna.text()).toMatch(text);
  await expect.poll(() => ben.text()).toBe(await anna.text());
  return await anna.text();
}

/** Each one's caret is behind what they typed last, in their own page and in the other's. */
async function caretsBehind(anna: CodeField, ben: CodeField, annas: string, bens: string): Promise<void> {
  const behind = (text: string) => expect.stringMatching(new RegExp(`${text}$`));
  expect(await anna.beforeOwnCaret()).toEqual(behind(annas));
  expect(await ben.beforeOwnCaret()).toEqual(behind(bens));
  await expect.poll(() => anna.beforeOtherCarets()).toEqual([behind(bens)]);
  await expect.poll(() => ben.beforeOtherCarets()).toEqual([behind(annas)]);
}

test("[CANVAS-1] two people type in one query at different places, and both carets stay right", async ({
  api,
  signedIn,
}) => {
  const { anna, ben, workflow } = await together(api, signedIn, QUERY);
  await anna.goBehind("SELECT");
  await ben.goBehind("input");
  await Promise.all([anna.type(" DISTINCT"), ben.type(" WHERE delay > 10")]);
  const text = await converged(anna, ben, /DISTINCT carrier\nFROM input WHERE delay > 10$/);
  await caretsBehind(anna, ben, "SELECT DISTINCT", "WHERE delay > 10");
  await expect(anna.editor.saveState).toHaveAttribute("data-state", "saved");
  const node = (await api.diagram(workflow)).nodes[0];
  expect(node?.data.config.query).toBe(text);
  await ben.editor.screenshot("two-carets");
});

test("[CANVAS-6] two people type at the same place, and undo takes back only their own", async ({ api, signedIn }) => {
  const { anna, ben } = await together(api, signedIn, QUERY);
  await anna.goBehind("carrier");
  await ben.goBehind("carrier");
  await Promise.all([anna.type("12345678"), ben.type("VWXYZVWX")]);
  const text = await converged(anna, ben, /^SELECT carrier[1-8V-Z]{16}\nFROM input$/);
  expect(text.replace(/[V-Z]/g, ""), "Anna's are in order").toContain("12345678");
  expect(text.replace(/[1-8]/g, ""), "Ben's are in order").toContain("VWXYZVWX");
  await caretsBehind(anna, ben, "8", "WX");

  await test.step("undo and redo", async () => {
    while (/[1-8]/.test(await anna.text())) await anna.editor.page.keyboard.press("Control+z");
    expect(await converged(anna, ben, /VWXYZVWX/)).toBe("SELECT carrierVWXYZVWX\nFROM input");
    await expect.poll(() => ben.beforeOwnCaret()).toMatch(/VWXYZVWX$/);
    while (!/8/.test(await anna.text())) await anna.editor.page.keyboard.press("Control+Shift+Z");
    await converged(anna, ben, /8/);
    while (/[V-Z]/.test(await ben.text())) await ben.editor.page.keyboard.press("Control+z");
    expect(await converged(anna, ben, /12345678/)).toBe("SELECT carrier12345678\nFROM input");
  });
});

test("[CANVAS-1] two people start in a query that nobody has shared yet, at once", async ({ api, signedIn }) => {
  const { anna, ben } = await together(api, signedIn);
  await Promise.all([anna.content.click(), ben.content.click()]);
  await expect(anna.editor.saveState).toHaveAttribute("data-state", "saved");
  await expect(ben.editor.saveState).toHaveAttribute("data-state", "saved");
  await Promise.all([anna.type("1111"), ben.type("aaaa")]);
  const text = await converged(anna, ben, /^[1a]{8}$/);
  expect([...text].sort().join("")).toBe("1111aaaa");
});
