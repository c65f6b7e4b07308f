/** The page in a real browser, in front of a made-up server. One browser serves all of these tests. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe } from "vitest";
import { accessTests } from "./access-suite.ts";
import { keyTests } from "./keys-suite.ts";
import { overviewTests } from "./overview-suite.ts";
import { stateTests } from "./state-suite.ts";
import { browserNote, hasBrowser, launchBrowser } from "./support/browser.ts";
import { treeTests } from "./tree-suite.ts";

describe.skipIf(!hasBrowser)(`the operator's page in Chromium${browserNote}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  const current = () => browser;
  describe("overview", () => overviewTests(current));
  describe("tree", () => treeTests(current));
  describe("state", () => stateTests(current));
  describe("access", () => accessTests(current));
  describe("keys", () => keyTests(current));
});
