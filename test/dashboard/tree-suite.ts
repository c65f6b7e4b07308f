/** The picture of the tree shows every table, and can be read by pointing, by keys and as a list. */
import type { Browser, Page } from "playwright-core";
import { expect, test } from "vitest";
import { formatBytes, formatCount } from "../../dashboard/text/format.ts";
import { layOutTree } from "../../dashboard/tree/layout.ts";
import type { FakeServer } from "./support/fake-server.ts";
import { colorsAt, distance, drawnShare } from "./support/pixels.ts";
import { openOverview, rowsOf, share, startFake } from "./support/suite.ts";

async function layoutOf(page: Page, server: FakeServer) {
  const box = (await page.locator("#tree-canvas").boundingBox())!;
  return layOutTree(server.admin.tree(), box.width);
}

export function treeTests(browser: () => Browser): void {
  const shared = share(browser);

  test("every table is drawn in its place, with the tone of its level", async () => {
    const { server, page } = shared();
    const layout = await layoutOf(page, server);
    const canvas = page.locator("#tree-canvas");
    await expect.poll(() => drawnShare(canvas)).toBeGreaterThan(0.3);
    const bricks = layout.bands.flatMap((band) => band.bricks);
    expect(bricks).toHaveLength(218);
    const middles = bricks.map(({ x, y, width, height }) => ({
      x: Math.floor(x + width / 2),
      y: Math.floor(y + height / 2),
    }));
    const beside = layout.bands
      .filter(({ bricks: own }) => own.length > 0)
      .map((band) => ({ x: 2, y: band.y }));
    const screenshot = await canvas.screenshot();
    const colors = await colorsAt(page, screenshot, middles);
    const [sheet] = await colorsAt(page, screenshot, beside);
    const paler = colors.filter((color) => distance(color, sheet!) < 60);
    expect(paler).toEqual([]);
    // Deeper is darker.
    const light = (level: number) => {
      const own = colors.filter((_, index) => bricks[index]?.level === level);
      return own.reduce((sum, color) => sum + color[0] + color[1] + color[2], 0) / own.length;
    };
    expect([0, 1, 2, 3].map((level) => light(level) > light(level + 1))).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  test("pointing at a table tells its number, size, entries and key range", async () => {
    const { server, page } = shared();
    const layout = await layoutOf(page, server);
    const placed = layout.bands[2]!.bricks[5]!;
    const position = { x: placed.x + placed.width / 2, y: placed.y + placed.height / 2 };
    await page.locator("#tree-canvas").hover({ position });
    const detail = page.locator("#tree-detail");
    await detail.waitFor();
    const { number, bytes, entries, smallest, largest } = placed.brick;
    for (const text of [
      `Table ${number}, level 2`,
      formatBytes(bytes),
      formatCount(entries),
      smallest,
      largest,
    ]) {
      expect(await detail.textContent()).toContain(text);
    }
    await page.mouse.move(0, 0);
    await detail.waitFor({ state: "hidden" });
  });

  test("arrow keys reach every table of a level, and every level", async () => {
    const { server, page } = shared();
    const canvas = page.locator("#tree-canvas");
    await canvas.focus();
    const title = page.locator("#tree-detail strong");
    await canvas.press("ArrowDown");
    await canvas.press("ArrowDown");
    await canvas.press("ArrowDown");
    await canvas.press("Home");
    const seen: (string | null)[] = [];
    for (let i = 0; i < 14; i++) {
      seen.push(await title.textContent());
      await canvas.press("ArrowRight");
    }
    const inOrder = server.admin.levels[2]!.toSorted((a, b) => a.x0 - b.x0);
    expect(seen).toEqual(inOrder.map(({ number }) => `Table ${number}, level 2`));
    await canvas.press("ArrowDown");
    expect(await title.textContent()).toMatch(/level 3$/);
    await canvas.press("Escape");
    await page.locator("#tree-detail").waitFor({ state: "hidden" });
  });

  test("all tables are listed for who does not see the picture", async () => {
    const { server, page } = shared();
    await page.getByText("All tables as a list").click();
    await expect.poll(() => page.locator("#tree-table-body tr").count()).toBe(218);
    const rows = await rowsOf(page, "#tree-table-body");
    const first = server.admin.levels[0]![0]!;
    expect(rows[0]).toEqual([
      `Table ${first.number}`,
      "L0",
      formatBytes(first.bytes),
      formatCount(first.entries),
      formatCount(first.tombstones),
      first.smallest,
      first.largest,
    ]);
  });

  test("a compaction shows its inputs, its progress, and then its outputs", async () => {
    const server = await startFake();
    const { page } = await openOverview(browser(), server, { reducedMotion: "no-preference" });
    server.admin.step(Date.now());
    const task = server.admin.running[0]!;
    const running = page.locator("#tasks-running li");
    await running.getByText(`L${task.source_level} → L${task.target_level}`).waitFor();
    const layout = await layoutOf(page, server);
    const inputs = layout.bands.flatMap((band) => band.bricks).filter(({ isInput }) => isInput);
    expect(inputs.map(({ brick }) => brick.number).toSorted()).toEqual(task.tables.toSorted());
    while (server.admin.finished.length === 0) server.admin.step(Date.now());
    await page
      .locator("#tasks-recent li")
      .getByText(/Compaction/)
      .first()
      .waitFor();
    const numbers = new Set(server.admin.levels.flat().map(({ number }) => number));
    expect(task.tables.some((number) => numbers.has(number))).toBe(false);
  });

  test("a full picture of 400 tables a level moves at the speed of the screen", async () => {
    const server = await startFake((fake) => {
      const [brick] = fake.admin.levels[4]!;
      fake.admin.levels = fake.admin.levels.map((_, level) =>
        Array.from({ length: level === 0 ? 24 : 400 }, (_unused, i) => ({
          ...brick!,
          number: 10_000 + level * 1000 + i,
          x0: i / 400,
          x1: (i + 1) / 400,
        })),
      );
    });
    server.admin.step(Date.now());
    const { page } = await openOverview(browser(), server, { reducedMotion: "no-preference" });
    // What drawing takes of a frame, so that a busy machine does not decide.
    const cost = await page.evaluate(async () => {
      const real = globalThis.requestAnimationFrame;
      const costs: number[] = [];
      globalThis.requestAnimationFrame = (run) =>
        real((now) => {
          const start = performance.now();
          run(now);
          costs.push(performance.now() - start);
        });
      while (costs.length < 40) await new Promise((resolve) => real(resolve));
      return costs.toSorted((a, b) => a - b)[20] ?? 0;
    });
    expect(cost).toBeLessThan(16);
  });
}
