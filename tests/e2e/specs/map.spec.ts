import { expect } from "@playwright/test";
import { Editor } from "../support/editor.ts";
import { test } from "../support/fixtures.ts";

const COUNT = 2_500;
const ROW = 50;

test("[WEB-1] the map shows every step, however many, and leads to where it is pressed", async ({
  api,
  server,
  signedIn,
}) => {
  const nodes = Array.from({ length: COUNT }, (_, index) => ({
    id: `n${index}`,
    position: { x: 300 * (index % ROW), y: 160 * Math.floor(index / ROW) },
    data: { label: `n${index}`, nodeType: index % 2 === 0 ? "filter" : "limit", config: {} },
  }));
  const workflow = await api.createWorkflow("A large one", { nodes });
  const editor = new Editor(await signedIn());
  const { page } = editor;
  await editor.open(server, workflow);
  const map = page.getByTestId("canvas-map");
  await expect(map).toBeVisible();
  const last = editor.node(`n${COUNT - 1}`);
  await expect(last).not.toBeInViewport();

  // Where steps are, there is colour; around them there is none.
  const inked = async (x: number, y: number) =>
    await map.locator("canvas").evaluate(
      (surface, [x, y]) => {
        const { width, height } = surface as HTMLCanvasElement;
        const pen = (surface as HTMLCanvasElement).getContext("2d");
        return (pen?.getImageData((x ?? 0) * width, (y ?? 0) * height, 1, 1).data[3] ?? 0) > 0;
      },
      [x, y],
    );
  await expect.poll(async () => await Promise.all([inked(0.5, 0.5), inked(0.06, 0.5), inked(0.5, 0.01)])).toEqual([
    true,
    true,
    false,
  ]);
  const size = await map.boundingBox();
  if (!size) throw new Error("the map is on the screen");
  await map.click({ position: { x: size.width * 0.96, y: size.height * 0.85 } });
  await expect(last).toBeInViewport();
  await page.mouse.move(size.x + size.width * 0.96, size.y + size.height * 0.85);
  await page.mouse.down();
  await page.mouse.move(size.x + size.width * 0.04, size.y + size.height * 0.15, { steps: 5 });
  await page.mouse.up();
  await expect(editor.node("n0")).toBeInViewport();
  await expect(last).not.toBeInViewport();
  await expect(editor.saveState).toHaveAttribute("data-unsaved", "0");
});
