/** What is not well is said at once, and the page comes back by itself. */
import type { Browser } from "playwright-core";
import { expect, test } from "vitest";
import { open, openOverview, startFake } from "./support/suite.ts";

export function stateTests(browser: () => Browser): void {
  test("an unreachable server is said to be so, and the page recovers", async () => {
    const server = await startFake();
    const { page } = await openOverview(browser(), server);
    await server.stop();
    await page.getByText("Server unreachable").waitFor();
    expect(await page.locator("#state").textContent()).toBe("unreachable");
    expect(await page.title()).toMatch(/^\(unreachable\)/);
    await server.start();
    await page.getByText("Server unreachable").waitFor({ state: "detached" });
    expect(await page.locator("#state").textContent()).toBe("ready");
  });

  test("delayed and refused writes, a low disk and a failed log make a banner, with the reason", async () => {
    const server = await startFake((fake) => {
      fake.reasons = ["the log failed: EIO"];
      fake.isSpaceLow = true;
      fake.bytesPerSecond = 4 * 1024 * 1024;
      const last = fake.admin.samples.at(-1)!;
      const delays = { ...last.delays, level0: 12, refused: 0 };
      fake.admin.samples[fake.admin.samples.length - 1] = { ...last, delays };
    });
    const { page } = await openOverview(browser(), server);
    const banner = page.locator("#banner");
    for (const text of [
      "The log failed",
      "The disk is nearly full",
      "Writes are delayed",
      "Level 0 has many tables",
      "4 MiB/s",
    ]) {
      await banner.getByText(text).first().waitFor();
    }
    server.reasons = [];
    server.isSpaceLow = false;
    server.bytesPerSecond = null;
    const last = server.admin.samples.at(-1)!;
    const delays = { memtables: 0, level0: 0, debt: 0, delayed_ms: 0, refused: 0 };
    server.admin.samples.push({ ...last, time: last.time + 1000, delays });
    await expect.poll(() => banner.locator(".alarm").count(), { timeout: 5000 }).toBe(0);
  });

  test("a token is asked for once, kept for the tab, and sent along", async () => {
    const server = await startFake((fake) => {
      fake.token = "0123456789abcdef";
    });
    const { page } = await open(browser(), server.url);
    const field = page.getByLabel("This server wants a token");
    await field.fill("not the right one");
    await field.press("Enter");
    await page.getByText("That token was not accepted.").waitFor();
    await field.fill(server.token!);
    await field.press("Enter");
    await page.locator("body.has-data").waitFor();
    await page.locator("#sign-in").waitFor({ state: "hidden" });
    await page.reload();
    await page.locator("body.has-data").waitFor();
    expect(await page.locator("#sign-in").isVisible()).toBe(false);
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  });
}
