/** A made-up server and a page in front of it, for the length of a test. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { openPage, type PageOptions, type Watched, waitForData } from "./browser.ts";
import { FakeServer } from "./fake-server.ts";

export async function startFake(
  setUp: (server: FakeServer) => void = () => {},
): Promise<FakeServer> {
  const server = new FakeServer();
  setUp(server);
  await server.start(0);
  onTestFinished(() => server.stop());
  return server;
}

export async function open(browser: Browser, url: string, options?: PageOptions): Promise<Watched> {
  const watched = await openPage(browser, url, options);
  onTestFinished(() => watched.close());
  return watched;
}

export async function openOverview(
  browser: Browser,
  server: FakeServer,
  options?: PageOptions,
): Promise<Watched> {
  const watched = await open(browser, server.url, options);
  await waitForData(watched.page);
  return watched;
}

/** Texts of a table's rows, cell by cell. */
export function rowsOf(page: Page, body: string): Promise<string[][]> {
  return page
    .locator(`${body} tr`)
    .evaluateAll((rows) =>
      rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? "")),
    );
}

export interface Shared extends Watched {
  readonly server: FakeServer;
}

/** One server and one page for all tests of a suite, which leave them as they were, or load the page anew. */
export function share(browser: () => Browser, path = ""): () => Shared {
  let shared: Shared | undefined;
  beforeAll(async () => {
    const server = new FakeServer();
    await server.start(0);
    const watched = await openPage(browser(), server.url + path);
    await waitForData(watched.page);
    shared = { ...watched, server };
  });
  afterAll(async () => {
    await shared?.close();
    await shared?.server.stop();
  });
  return () => {
    if (shared === undefined) throw new Error("the suite has not begun");
    return shared;
  };
}
