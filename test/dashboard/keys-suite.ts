/** The key browser finds, shows, writes and deletes, and never over somebody else's change. */
import type { Browser, Page } from "playwright-core";
import { expect, test } from "vitest";
import type { FakeServer } from "./support/fake-server.ts";
import { open, type Shared, share, startFake } from "./support/suite.ts";

const text = (server: FakeServer, key: string) => server.kv.entries.get(key)?.value.toString();

/** The page anew, in front of a server with nothing but what `setUp` puts there. */
async function reopen(
  { server, page }: Shared,
  setUp: (server: FakeServer) => void = () => {},
): Promise<{ server: FakeServer; page: Page }> {
  server.kv.entries.clear();
  server.role = "write";
  server.isReadOnly = false;
  setUp(server);
  await page.reload();
  await page.locator("#key-list li").first().waitFor();
  return { server, page };
}

async function choose(page: Page, key: string): Promise<void> {
  await page.locator("#key-list button").filter({ hasText: key }).click();
  await page.locator("#entry-key", { hasText: key }).waitFor();
}

const keyNames = (page: Page) => page.locator("#key-list .key-name").allTextContents();

export function keyTests(browser: () => Browser): void {
  const shared = share(browser, "/#keys");

  test("keys are found by prefix, paged forward and back, and in either order", async () => {
    const names = Array.from({ length: 120 }, (_, i) => `user:${String(i).padStart(3, "0")}`);
    const { page } = await reopen(shared(), (fake) => {
      for (const name of names) fake.kv.put(name, "x");
      fake.kv.put("other", "y");
    });
    expect((await keyNames(page))[0]).toBe("other");
    await page.getByLabel("Key begins with").fill("user:");
    await page.keyboard.press("Enter");
    await expect.poll(() => keyNames(page)).toEqual(names.slice(0, 50));
    await page.getByRole("button", { name: "Forward" }).click();
    await expect.poll(() => keyNames(page)).toEqual(names.slice(50, 100));
    await page.getByRole("button", { name: "Forward" }).click();
    await expect.poll(() => keyNames(page)).toEqual(names.slice(100));
    expect(await page.getByRole("button", { name: "Forward" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Back" }).click();
    await expect.poll(() => keyNames(page)).toEqual(names.slice(50, 100));
    await page.getByLabel("Order").selectOption("reverse");
    await expect.poll(() => keyNames(page)).toEqual(names.toReversed().slice(0, 50));
    await page.getByLabel("Key begins with").fill("nobody");
    await page.keyboard.press("Enter");
    await page.getByText("No key begins with this.").waitFor();
  });

  test("an entry is shown as text, JSON or bytes, with what is known of it", async () => {
    const { page } = await reopen(shared(), (fake) => {
      fake.kv.put("doc", "{}");
      fake.kv.put("doc", '{"id":12345678901234567890,"n":[]}', 3_600_000);
      fake.kv.put(Uint8Array.of(0, 0xff, 0x2f), Uint8Array.of(1, 0xfe));
    });
    await choose(page, "doc");
    const value = page.locator("pre.value");
    expect(await value.textContent()).toBe('{\n  "id": 12345678901234567890,\n  "n": []\n}');
    expect(await page.locator('[data-fact="version"]').textContent()).toBe("2");
    expect(await page.locator('[data-fact="expires"]').textContent()).toMatch(/in (59 min|1 h)/);
    expect(await page.locator('[data-fact="tag"]').textContent()).toMatch(/^"\d+"$/);
    await page.getByText("Hex", { exact: true }).click();
    expect(await value.textContent()).toMatch(/^00000000 {2}7b 22 69 64 /);
    await page.getByText("Text", { exact: true }).click();
    expect(await value.textContent()).toBe('{"id":12345678901234567890,"n":[]}');
    await choose(page, "\\x00\\xff/");
    expect(await value.textContent()).toMatch(/^00000000 {2}01 fe .*\|\.\.\|$/);
  });

  test("keys and values that look like HTML stay text", async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const { page } = await reopen(shared(), (fake) => {
      fake.kv.put(evil, evil);
    });
    await choose(page, evil);
    expect(await page.locator("pre.value").textContent()).toBe(evil);
    expect(await page.locator("main img").count()).toBe(0);
    await page.locator("#entry-edit").click();
    expect(await page.locator("#edit-value").inputValue()).toBe(evil);
    expect(await page.locator("main img").count()).toBe(0);
  });

  test("an entry is made, changed and deleted with keys alone", async () => {
    const { server, page } = await reopen(shared());
    await page.getByText("There are no keys here yet.").waitFor();
    await page.getByRole("button", { name: "New entry" }).press("Enter");
    await page.keyboard.type("greeting\\x00");
    await page.locator("#edit-value").fill("hello");
    await page.locator("#edit-ttl").fill("60s");
    await page.locator("#edit-ttl").press("Enter");
    await page.locator("#entry-key").waitFor();
    expect(text(server, "greeting\0")).toBe("hello");
    expect(server.kv.entries.get("greeting\0")?.expiresAt).toBeGreaterThan(Date.now());
    await expect.poll(() => keyNames(page)).toEqual(["greeting\\x00"]);
    await page.locator("#entry-edit").press("Enter");
    await page.locator("#edit-value").fill("hello again");
    await page.locator("#edit-save").press("Enter");
    await page.locator("pre.value", { hasText: "hello again" }).waitFor();
    expect(text(server, "greeting\0")).toBe("hello again");
    await page.locator("#entry-delete").press("Enter");
    // The dialog's first button is the harmless one.
    await page.keyboard.press("Enter");
    await page.locator("#delete-dialog").waitFor({ state: "hidden" });
    expect(server.kv.entries.size).toBe(1);
    await page.locator("#entry-delete").press("Enter");
    await page.locator("#delete-confirm").press("Enter");
    await page.getByText("It is deleted.").waitFor();
    expect(server.kv.entries.size).toBe(0);
  });

  test("an edit is not made over a change by somebody else, unless that is wanted", async () => {
    const { server, page } = await reopen(shared(), (fake) => {
      fake.kv.put("k", "first");
    });
    await choose(page, "k");
    await page.locator("#entry-edit").click();
    server.kv.put("k", "theirs");
    await page.locator("#edit-value").fill("mine");
    await page.locator("#edit-save").click();
    await page.getByText("Somebody else changed this key meanwhile.").waitFor();
    await page.locator("#conflict pre.value", { hasText: "theirs" }).waitFor();
    expect(text(server, "k")).toBe("theirs");
    await page.locator("#conflict-take").click();
    await page.locator("pre.value", { hasText: "theirs" }).waitFor();
    await page.locator("#entry-edit").click();
    server.kv.put("k", "theirs again");
    await page.locator("#edit-value").fill("mine");
    await page.locator("#edit-save").click();
    await page.locator("#conflict-overwrite").click();
    await page.locator("pre.value", { hasText: "mine" }).waitFor();
    expect(text(server, "k")).toBe("mine");
  });

  test("a new entry is not made over one that is there, nor one deleted that was changed", async () => {
    const { server, page } = await reopen(shared(), (fake) => {
      fake.kv.put("k", "there");
    });
    await page.getByRole("button", { name: "New entry" }).click();
    await page.locator("#edit-key").fill("k");
    await page.locator("#edit-save").click();
    await page.locator("#conflict pre.value", { hasText: "there" }).waitFor();
    expect(text(server, "k")).toBe("there");
    await choose(page, "k");
    server.kv.put("k", "changed");
    await page.locator("#entry-delete").click();
    await page.locator("#delete-confirm").click();
    await page.getByText("Nothing was deleted").waitFor();
    await page.locator("pre.value", { hasText: "changed" }).waitFor();
    expect(text(server, "k")).toBe("changed");
  });

  test("bytes are edited as bytes, and what a form would change is not edited as text", async () => {
    const { server, page } = await reopen(shared(), (fake) => {
      fake.kv.put("lines", "a\r\nb");
    });
    await choose(page, "lines");
    await page.locator("#entry-edit").click();
    const area = page.locator("#edit-value");
    expect(await area.inputValue()).toBe("61 0d 0a 62");
    await area.fill("61 0");
    await page.locator("#edit-save").click();
    await page.getByText("Bytes are pairs").waitFor();
    await area.fill("61 00 FF");
    await page.locator("#edit-save").click();
    await page.locator("pre.value", { hasText: "61 00 ff" }).waitFor();
    expect(server.kv.entries.get("lines")?.value).toEqual(Buffer.from([0x61, 0, 0xff]));
  });

  test.each(["role", "read-only"])(
    "where nothing may be written, nothing offers to: %s",
    async (why) => {
      const { page } = await reopen(shared(), (fake) => {
        fake.kv.put("k", "v");
        if (why === "role") fake.role = "read";
        else fake.isReadOnly = true;
      });
      await page.getByText(why === "role" ? "may read" : "read-only").waitFor();
      await choose(page, "k");
      await page.locator("#entry-reload").waitFor();
      expect(await page.locator("#entry-edit, #entry-delete").count()).toBe(0);
      expect(await page.locator("#entry-create").isVisible()).toBe(false);
    },
  );

  test("the keyspace is part of the address, and one that is not there is said so", async () => {
    const server = await startFake((fake) => {
      fake.kv.put("k", "v");
    });
    const { page } = await open(browser(), `${server.url}/?keyspace=nowhere#keys`);
    await page.getByText("there is no keyspace nowhere").waitFor();
    await page.getByLabel("Keyspace").fill("orders");
    await page.keyboard.press("Enter");
    await page.locator("#key-list button").waitFor();
    expect(new URL(page.url()).search).toBe("?keyspace=orders");
  });
}
