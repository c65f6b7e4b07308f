/** What the page says of load, memory and the rest is what the server says. */
import type { Browser } from "playwright-core";
import { expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatMicroseconds,
  formatRate,
  formatShort,
  formatTimes,
} from "../../dashboard/text/format.ts";
import { colorsAt, distance, drawnShare } from "./support/pixels.ts";
import { open, openOverview, rowsOf, share, startFake } from "./support/suite.ts";

export function overviewTests(browser: () => Browser): void {
  const shared = share(browser);

  test("the page loads with no error, keeps its own policy, and asks no other host", async () => {
    const { page, errors, strangers } = shared();
    await page.locator("#cards .uplot").nth(5).waitFor();
    expect(errors).toEqual([]);
    expect(strangers).toEqual([]);
    expect(await page.locator("#state").textContent()).toBe("ready");
  });

  test("its numbers are the server's", async () => {
    const { server, page } = shared();
    const sample = server.admin.samples.at(-1)!;
    const { levels } = server.stats().store;
    const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
    const figure = (name: string) => page.locator(`#figure-${name}`).textContent();
    const operations = Object.values(sample.operations);
    expect(await figure("operations")).toBe(formatShort(sum(operations.map(({ rate }) => rate))));
    expect(await figure("disk")).toBe(formatBytes(sum(levels.map(({ bytes }) => bytes))));
    expect(await figure("disk-note")).toContain(formatCount(sum(levels.map(({ files }) => files))));
    const { memtables, tables, blocks } = sample.memory;
    expect(await figure("memory")).toBe(formatBytes(memtables + tables + blocks));
    expect(await figure("clients")).toBe("27");
    for (const [name, told] of Object.entries(sample.operations)) {
      const row = page.locator(`tr[data-operation="${name}"] td`);
      expect(await row.allTextContents()).toEqual([
        formatRate(told.rate),
        formatMicroseconds(told.p50),
        formatMicroseconds(told.p99),
        formatMicroseconds(told.p999),
        "none",
      ]);
    }
    const legend = (card: string) => page.locator(`[data-card="${card}"] td`).allTextContents();
    expect(await legend("memory")).toEqual([memtables, tables, blocks, 0].map(formatBytes));
    expect(await legend("amplification")).toEqual([
      formatTimes(sample.write_amplification),
      formatTimes(sample.space_amplification),
    ]);
    expect((await legend("delays"))[1]).toBe(formatRate(sample.delays.level0));
  });

  test("a new second is shown without asking for the old ones again", async () => {
    const { server, page } = shared();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    const before = server.admin.samples.at(-1)!.time;
    server.admin.step(before + 1000);
    const put = server.admin.samples.at(-1)!.operations.put!;
    const cell = page.locator('tr[data-operation="put"] td').nth(2);
    await cell.getByText(formatMicroseconds(put.p99), { exact: true }).waitFor();
    expect(asked.find((url) => url.includes("/samples/"))).toMatch(`after=${before}`);
  });

  test("every chart is drawn, and looks it", async () => {
    const { page } = shared();
    const charts = page.locator(".chart");
    expect(await charts.count()).toBe(8);
    for (let i = 0; i < 8; i++) {
      const canvas = charts.nth(i).locator("canvas");
      await canvas.waitFor();
      expect(await drawnShare(canvas)).toBeGreaterThan(0.01);
    }
    // The area of cached blocks, in the middle of the memory chart, has the colour of its legend.
    const memory = page.locator('[data-card="memory"] .chart');
    const box = (await memory.boundingBox())!;
    const point = { x: Math.round(box.width * 0.6), y: Math.round(box.height * 0.42) };
    const [color] = await colorsAt(page, await memory.screenshot(), [point]);
    expect(distance(color!, [0xe0, 0xbf, 0x82])).toBeLessThan(12);
  });

  test("the slider tells of the past, in all tables at once", async () => {
    const { server, page } = shared();
    await page.locator("#look-back").focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("ArrowLeft");
    const past = server.admin.samples.at(-3)!;
    const get = page.locator('tr[data-operation="get"] td').first();
    expect(await get.textContent()).toBe(formatRate(past.operations.get!.rate));
    const loop = page.locator('[data-card="memory"] td').nth(2);
    expect(await loop.textContent()).toBe(formatBytes(past.memory.blocks));
    await page.locator("#look-back-now").click();
    const now = server.admin.samples.at(-1)!;
    expect(await get.textContent()).toBe(formatRate(now.operations.get!.rate));
  });

  test("pointing into one chart moves the cursor of all", async () => {
    const { page } = shared();
    await page.locator("#rate-chart .u-over").hover({ position: { x: 200, y: 60 } });
    const cursors = page.locator(".u-cursor-x:not(.u-off)");
    await expect.poll(() => cursors.count()).toBe(8);
    expect(await page.locator("#look-back-time").textContent()).toMatch(/ago$/);
    await page.mouse.move(0, 0);
    await expect.poll(() => page.locator("#look-back-time").textContent()).toMatch(/^now/);
  });

  test("the latency of any operation can be drawn", async () => {
    const { page } = shared();
    expect(await page.locator("#latency-of").textContent()).toBe("get");
    await page.getByLabel("Draw the latency of batch").check();
    expect(await page.locator("#latency-of").textContent()).toBe("batch");
  });

  test("slow operations and connections are listed, keys as text", async () => {
    const server = await startFake((fake) => {
      const key = "<i>not HTML</i>";
      fake.slow = [
        { time: Date.now(), door: "tcp", operation: "scan", key, duration_ms: 312, error: true },
      ];
    });
    const { page } = await openOverview(browser(), server);
    const [slow] = await rowsOf(page, "#slow-body");
    expect(slow?.slice(1)).toEqual(["scan", "tcp", "<i>not HTML</i>", "312 ms", "failed"]);
    const connections = await rowsOf(page, "#connections-body");
    expect(connections).toHaveLength(6);
    expect(connections[0]?.[0]).toBe("127.0.0.1:50100");
    expect(await page.locator("#slow-body i").count()).toBe(0);
  });

  test("an idle, empty server has a page, too", async () => {
    const server = await startFake((fake) => {
      fake.admin.levels = fake.admin.levels.map(() => []);
      fake.admin.samples.length = 0;
    });
    const { page, errors } = await open(browser(), server.url);
    await page.getByText("All is at rest.").waitFor();
    await page.getByText("Nothing has been asked of the server").waitFor();
    await page.getByText("Nothing has taken longer than 100 ms.").waitFor();
    expect(await page.locator("#figure-disk").textContent()).toBe("0 B");
    expect(errors).toEqual([]);
  });
}
