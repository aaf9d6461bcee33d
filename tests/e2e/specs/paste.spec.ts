import { expect, type Page } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

const FILTERS = {
  nodes: [
    { id: "a", position: { x: 0, y: 0 }, data: { label: "Filter", nodeType: "filter", config: { condition: "x > 1" } } },
    { id: "b", position: { x: 300, y: 0 }, data: { label: "Sort", nodeType: "sort", config: {} } },
  ],
  edges: [{ id: "e", source: "a", target: "b" }],
};

async function middleOf(page: Page, id: string) {
  const box = await page.getByTestId(`node-${id}`).boundingBox();
  return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 };
}

test("[WEB-1] what is pasted comes at the pointer, or in the middle; again, it is shifted; names and ids are its own", async ({
  api,
  server,
  signedIn,
}) => {
  const workflow = await api.createWorkflow("Pasted", FILTERS);
  const editor = new Editor(await signedIn());
  const { page } = editor;
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await editor.open(server, workflow);
  const known = new Set(["a", "b"]);
  const added = async () => {
    const fresh = async () => (await api.diagram(workflow)).nodes.filter(({ id }) => !known.has(id));
    await expect.poll(async () => (await fresh()).length).toBeGreaterThan(0);
    const nodes = await fresh();
    for (const { id } of nodes) known.add(id);
    return nodes;
  };
  await editor.node("a").click();
  await page.keyboard.press("Control+c");
  const canvas = await page.getByTestId("canvas").boundingBox();
  if (!canvas) throw new Error("there is no canvas");
  const pointer = { x: canvas.x + canvas.width * 0.6, y: canvas.y + 120 };

  await test.step("at the pointer", async () => {
    await page.mouse.move(pointer.x, pointer.y);
    await page.keyboard.press("Control+v");
    const [node] = await added();
    expect(node?.data.label).toBe("Filter 2");
    const at = await middleOf(page, node?.id ?? "");
    expect(Math.hypot(at.x - pointer.x, at.y - pointer.y)).toBeLessThan(8);
  });

  await test.step("again, shifted", async () => {
    await page.keyboard.press("Control+v");
    const [node] = await added();
    expect(node?.data.label).toBe("Filter 3");
    const at = await middleOf(page, node?.id ?? "");
    expect(at.x - pointer.x).toBeGreaterThan(10);
    expect(at.y - pointer.y).toBeGreaterThan(10);
  });

  await test.step("in the middle when the pointer is elsewhere", async () => {
    const tabs = await page.getByTestId("tab-run").boundingBox();
    await page.mouse.move((tabs?.x ?? 0) + 5, (tabs?.y ?? 0) + 5);
    await page.keyboard.press("Control+v");
    const [node] = await added();
    const at = await middleOf(page, node?.id ?? "");
    const middle = { x: canvas.x + canvas.width / 2, y: canvas.y + canvas.height / 2 };
    expect(Math.hypot(at.x - middle.x, at.y - middle.y)).toBeLessThan(60);
  });

  await test.step("edges between what is pasted or duplicated are kept", async () => {
    await page.mouse.move(canvas.x + 30, canvas.y + 30);
    await editor.node("a").click();
    await editor.node("b").click({ modifiers: ["Control"] });
    await page.keyboard.press("Control+d");
    const nodes = await added();
    expect(nodes.map(({ data }) => data.label).sort()).toEqual(["Filter 5", "Sort 2"]);
    const ids = nodes.map(({ id }) => id);
    const { edges } = await api.diagram(workflow);
    expect(edges).toHaveLength(2);
    expect(edges.some(({ source, target }) => ids.includes(source) && ids.includes(target))).toBe(true);
  });
});

test("[SYNC-18] thousands of steps are pasted at once, and more than a workflow holds are refused before", async ({
  api,
  server,
  signedIn,
}) => {
  test.setTimeout(180_000);
  const workflow = await api.createWorkflow("Pasted by thousands", FILTERS);
  const editor = new Editor(await signedIn());
  const { page } = editor;
  await editor.open(server, workflow);
  const pasteSteps = (count: number) =>
    page.evaluate((count) => {
      const nodes = Array.from({ length: count }, (_, index) => ({
        id: `n${index}`,
        position: { x: (index % 50) * 260, y: Math.floor(index / 50) * 100 },
        data: { label: "Filter", nodeType: "filter", config: { condition: "x > 1" } },
      }));
      const edges = nodes.slice(1).map(({ id }, index) => ({ id: `e${index}`, source: `n${index}`, target: id }));
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", JSON.stringify({ nodes, edges }));
      const started = performance.now();
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
      return performance.now() - started;
    }, count);

  const took = await pasteSteps(2_500);
  expect(took).toBeLessThan(5_000);
  await expect(page.getByText("2500 steps selected")).toBeVisible();
  console.log(`2,500 steps pasted in ${Math.round(took)} ms`);

  await pasteSteps(7_500);
  await expect(page.getByTestId("toast")).toContainText("A workflow holds at most 10,000 steps");
  await expect(page.getByText("2500 steps selected")).toBeVisible();
  await page.getByTestId("undo").click();
  await expect(page.locator(".react-flow__node")).toHaveCount(2);
});
