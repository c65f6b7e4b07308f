/** The manifest as it should be: what was appended is read back, before and after it is written anew. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CURRENT_NAME, manifestName } from "../../../src/fs/names.ts";
import { CURRENT_TEMPORARY_NAME } from "../../../src/version/manifest.ts";
import { readManifest } from "../../../src/version/manifest-reader.ts";
import { Version } from "../../../src/version/version.ts";
import { FaultyFileSystem } from "../../support/faulty-file-system.ts";
import {
  ChangingTree,
  MANIFEST_DIRECTORY,
  manifestDisk,
  readSummary,
  summaryOf,
} from "../../support/manifest-fixture.ts";
import { seeds } from "../../support/random.ts";
import { tableOf } from "../../support/table-metas.ts";

const NEVER = 2 ** 40;

async function currentOf(fs: Parameters<typeof readManifest>[0]): Promise<string> {
  const file = await fs.open(join(MANIFEST_DIRECTORY, CURRENT_NAME), "read");
  const bytes = new Uint8Array(await file.size());
  await file.read(bytes, 0);
  await file.close();
  return Buffer.from(bytes).toString();
}

test("where there is no CURRENT there is no manifest", async () => {
  expect(await readManifest(await manifestDisk(), MANIFEST_DIRECTORY)).toBeUndefined();
});

test.each(seeds(20))(
  "every state is read back, however often it rolls over (seed %i)",
  async (seed) => {
    const fs = await manifestDisk();
    const tree = new ChangingTree(seed);
    const manifest = await tree.create(fs, seed % 2 === 0 ? 1024 : NEVER);
    const first = manifest.number;
    expect(await readSummary(fs)).toBe(summaryOf(tree.state));
    for (let i = 0; i < 30; i++) {
      await tree.append(manifest);
      expect(await readSummary(fs)).toBe(summaryOf(tree.state));
      const content = await readManifest(fs, MANIFEST_DIRECTORY);
      expect(content).toMatchObject({ tornBytes: 0, manifestNumber: manifest.number });
      // No number that was drawn before is drawn again, be it a table's or a manifest's.
      expect(content?.nextNumber).toBe(tree.number + 1);
      expect(await fs.list(MANIFEST_DIRECTORY)).toEqual([
        manifestName(manifest.number),
        CURRENT_NAME,
      ]);
      expect(await currentOf(fs)).toBe(`${manifestName(manifest.number)}\n`);
    }
    if (seed % 2 === 0) expect(manifest.number).toBeGreaterThan(first);
    else expect(manifest.number).toBe(first);
    await manifest.close();
    expect(fs.openFiles).toBe(0);
    expect(await readSummary(fs)).toBe(summaryOf(tree.state));
  },
);

test("a manifest is written anew when it has grown to its limit, and then is small again", async () => {
  const fs = await manifestDisk();
  const tree = new ChangingTree(1);
  const manifest = await tree.create(fs, 2000);
  let largest = 0;
  for (let i = 0; i < 60; i++) {
    await tree.append(manifest);
    const file = await fs.open(join(MANIFEST_DIRECTORY, manifestName(manifest.number)), "read");
    largest = Math.max(largest, await file.size());
    await file.close();
  }
  const tables = tree.state.version.asEdit().added.length;
  // An edit over the limit, or a snapshot of all tables.
  expect(largest).toBeLessThan(2200 + tables * 110);
  await manifest.close();
});

test("a snapshot of thousands of tables is read back", async () => {
  const fs = await manifestDisk();
  const tree = new ChangingTree(1, 10_000);
  const added = Array.from({ length: 3500 }, (_, i) => {
    const key = `key:${String(i).padStart(5, "0")}`;
    return { level: 1 + (i % 3), table: tableOf(i + 1, key, key) };
  });
  tree.state = {
    version: Version.EMPTY.apply({ added, removed: [] }),
    logFloor: 7,
    lastSequence: 9,
  };
  const manifest = await tree.create(fs, NEVER);
  expect(await readSummary(fs)).toBe(summaryOf(tree.state));
  await tree.append(manifest);
  expect(await readSummary(fs)).toBe(summaryOf(tree.state));
  await manifest.close();
});

test("a leftover of a CURRENT that was never renamed is in nobody's way", async () => {
  const fs = await manifestDisk();
  const path = join(MANIFEST_DIRECTORY, CURRENT_TEMPORARY_NAME);
  await (await fs.open(path, "create")).close();
  const tree = new ChangingTree(1);
  const manifest = await tree.create(fs, NEVER);
  await tree.append(manifest);
  await manifest.close();
  expect(await fs.exists(path)).toBe(false);
  expect(await readSummary(fs)).toBe(summaryOf(tree.state));
});

describe("a failed append", () => {
  const APPEND = [["write"], ["sync"]] as const;

  test.each(APPEND)("of its %s is final: later ones fail with what failed first", async (kind) => {
    const disk = await manifestDisk();
    const fs = new FaultyFileSystem(disk);
    const tree = new ChangingTree(1);
    const manifest = await tree.create(fs, NEVER);
    await tree.append(manifest);
    expect(manifest.failed).toBe(false);
    fs.setRules([{ kinds: [kind], nth: 1, fault: "EIO" }]);
    const before = summaryOf(tree.state);
    const { edit, next } = tree.next();
    const failure = {
      code: "IO_ERROR",
      message: expect.stringContaining("open the database again"),
    };
    await expect(manifest.append(edit, next)).rejects.toMatchObject(failure);
    expect(manifest.failed).toBe(true);
    // The disk would take it now; what is on it is not known.
    await expect(manifest.append(edit, next)).rejects.toMatchObject(failure);
    await manifest.close();
    expect(disk.openFiles).toBe(0);
    expect([before, summaryOf(next)]).toContain(await readSummary(disk));
  });

  test("on a full disk is NO_SPACE", async () => {
    const disk = await manifestDisk();
    const fs = new FaultyFileSystem(disk);
    const tree = new ChangingTree(1);
    const manifest = await tree.create(fs, NEVER);
    fs.setRules([{ kinds: ["write"], fault: "ENOSPC" }]);
    await expect(tree.append(manifest)).rejects.toMatchObject({ code: "NO_SPACE" });
    await manifest.close();
    expect(await readSummary(disk)).toBe(summaryOf(tree.state));
  });

  test("leaves the old state or the new at every operation of a roll-over", async () => {
    const kinds = [
      "create",
      "write",
      "sync",
      "syncDirectory",
      "exists",
      "rename",
      "remove",
    ] as const;
    let failures = 0;
    for (const kind of kinds) {
      for (let nth = 1; ; nth++) {
        const disk = await manifestDisk();
        const fs = new FaultyFileSystem(disk);
        const tree = new ChangingTree(1);
        const manifest = await tree.create(fs, 1);
        const before = summaryOf(tree.state);
        const { edit, next } = tree.next();
        fs.setRules([{ kinds: [kind], nth, fault: "EIO" }]);
        const failed = await manifest.append(edit, next).then(
          () => false,
          () => true,
        );
        fs.setRules([]);
        expect(manifest.failed).toBe(failed);
        await manifest.close();
        expect(disk.openFiles, `${kind} ${nth}`).toBe(0);
        const after = await readSummary(disk);
        expect([before, summaryOf(next)], `${kind} ${nth}`).toContain(after);
        if (!failed) break;
        failures++;
      }
    }
    expect(failures).toBeGreaterThanOrEqual(11);
  });
});
