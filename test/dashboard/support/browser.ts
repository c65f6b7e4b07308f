/** Chromium, driven without a window, and a page that writes down whatever goes wrong on it. */
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

export const hasBrowser = existsSync(CHROMIUM);
/** Put behind the names of tests that need a browser, so that a run says why they did not. */
export const browserNote = hasBrowser ? "" : ` (skipped: there is no ${CHROMIUM})`;

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Has a profile of its own, in a temporary directory that goes with it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

export interface Watched {
  readonly page: Page;
  /** Errors on the console, thrown, or of the content security policy. */
  readonly errors: string[];
  /** Addresses of other hosts that were asked for. */
  readonly strangers: string[];
  close(): Promise<void>;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce" | "no-preference";
}

/** Motion is reduced unless a test is about it: what stands still can be compared. */
export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, height = 900, colorScheme = "light", reducedMotion = "reduce" }: PageOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    reducedMotion,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const errors: string[] = [];
  const strangers: string[] = [];
  const { host } = new URL(url);
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).host !== host) strangers.push(request.url());
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(url);
  return { page, errors, strangers, close: () => context.close() };
}

/** The page has its first numbers. */
export async function waitForData(page: Page): Promise<void> {
  await page.locator("body.has-data").waitFor();
}
