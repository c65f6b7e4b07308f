/** The page can be used with the keyboard alone, by people who see little contrast or no colours, and on a phone. */
import type { Browser, Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./support/axe.ts";
import { openOverview, share, startFake } from "./support/suite.ts";

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']";

/** What Tab comes to, from the start of the page until it is left. */
async function tabThrough(page: Page): Promise<{ reached: number; unseen: string[] }> {
  await page.evaluate(() => {
    for (const element of document.querySelectorAll("[data-reached]")) {
      element.removeAttribute("data-reached");
    }
  });
  await page.locator(".skip").focus();
  // As somebody would who uses keys: focus that a program gives need not be seen.
  await page.keyboard.press("Tab");
  await page.keyboard.press("Shift+Tab");
  let reached = 0;
  const unseen: string[] = [];
  for (let i = 0; i < 150; i++) {
    const found = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element === document.body) return undefined;
      const isSeenTwice = element.hasAttribute("data-reached");
      element.setAttribute("data-reached", "");
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const hasRing = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      return { isSeenTwice, hasRing, html: element.outerHTML.slice(0, 90) };
    });
    if (found === undefined || found.isSeenTwice) break;
    reached++;
    if (!found.hasRing) unseen.push(found.html);
    await page.keyboard.press("Tab");
  }
  return { reached, unseen };
}

/** What should have been reached, and was not. Of a group of radio buttons, Tab comes to one. */
function missed(page: Page): Promise<string[]> {
  return page.locator(FOCUSABLE).evaluateAll((elements) =>
    elements
      .filter((element) => element.checkVisibility() && !element.matches(":disabled"))
      .filter((element) => !element.matches("input[type=radio]:not(:checked)"))
      .filter((element) => !element.hasAttribute("data-reached"))
      .map((element) => element.outerHTML.slice(0, 90)),
  );
}

export function accessTests(browser: () => Browser): void {
  const shared = share(browser);

  test("Tab comes to everything on both views, and shows where it is", async () => {
    const server = await startFake((fake) => {
      fake.kv.put("a", "1");
    });
    const { page } = await openOverview(browser(), server);
    const overview = await tabThrough(page);
    expect(overview.unseen).toEqual([]);
    expect(await missed(page)).toEqual([]);
    expect(overview.reached).toBeGreaterThan(40);
    await page.goto(`${server.url}/#keys`);
    await page.locator("#key-list button").click();
    await page.locator("#entry-edit").waitFor();
    const keys = await tabThrough(page);
    // Radio buttons of the views show the ring on the words beside them.
    expect(keys.unseen.filter((html) => !html.includes('type="radio"'))).toEqual([]);
    expect(await missed(page)).toEqual([]);
  });

  test("words that not everybody knows are explained to keys, too", async () => {
    const { page } = shared();
    const word = page.locator('[data-term="writeAmplification"]').first();
    await word.focus();
    const tip = page.getByRole("tooltip");
    expect(await tip.textContent()).toMatch(/for each byte/);
    expect(await word.getAttribute("aria-describedby")).toBe("tooltip");
    await page.keyboard.press("Escape");
    await tip.waitFor({ state: "hidden" });
  });

  test.each(["light", "dark"] as const)(
    "contrast and all else that axe knows, %s",
    async (colorScheme) => {
      const server = await startFake((fake) => {
        fake.kv.put("user:1", '{"name": "Ada"}');
        fake.reasons = ["the log failed: EIO"];
        fake.bytesPerSecond = 1e6;
      });
      const { page } = await openOverview(browser(), server, { colorScheme });
      await page.locator(".alarm").first().waitFor();
      expect(await violations(page)).toEqual([]);
      await page.goto(`${server.url}/#keys`);
      await page.locator("#key-list button").click();
      await page.locator("#entry-edit").waitFor();
      expect(await violations(page)).toEqual([]);
      await page.locator("#entry-edit").click();
      expect(await violations(page)).toEqual([]);
    },
  );

  test("the button turns the colours, and the choice is kept", async () => {
    const { page } = shared();
    const back = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await back();
    const button = page.locator("#theme");
    await button.click();
    expect(await back()).toBe(light);
    await button.click();
    expect(await back()).toBe("rgb(20, 16, 12)");
    await page.reload();
    expect(await back()).toBe("rgb(20, 16, 12)");
    expect(await button.getAttribute("aria-label")).toContain("dark");
  });

  test.each([390, 768, 1440])("nothing sticks out at %i pixels", async (width) => {
    const { server, page } = shared();
    await page.setViewportSize({ width, height: 900 });
    const overflow = () =>
      page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
    await expect.poll(overflow).toBe(0);
    await page.goto(`${server.url}/#keys`);
    await expect.poll(overflow).toBe(0);
    await page.goto(`${server.url}/#overview`);
  });

  test("where motion is not wanted, the picture stands still", async () => {
    const { server, page } = shared();
    server.admin.step(Date.now());
    await page.locator("#tasks-running progress").first().waitFor();
    const frames = await page.evaluate(async () => {
      const real = globalThis.requestAnimationFrame;
      let asked = 0;
      globalThis.requestAnimationFrame = (run) => {
        asked++;
        return real(run);
      };
      for (let i = 0; i < 20; i++) await new Promise((resolve) => real(resolve));
      return asked;
    });
    // Where it moves, each frame asks for the next.
    expect(frames).toBeLessThan(10);
  });
}
