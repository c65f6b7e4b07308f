/** What a manifest's records say, checksums being good: what does not fit together is CORRUPTION, with its place. */
import { pack } from "msgpackr";
import { describe, expect, test } from "vitest";
import type { VarveError } from "../../../src/errors.ts";
import { manifestName } from "../../../src/fs/names.ts";
import { encodeEdit, type VersionEdit } from "../../../src/version/edit.ts";
import { MANIFEST_FORMAT, MANIFEST_RECORD } from "../../../src/version/manifest.ts";
import { readManifest } from "../../../src/version/manifest-reader.ts";
import {
  CURRENT_PATH,
  expectCorrupt,
  MANIFEST_NUMBER,
  MANIFEST_PATH,
  manifestOf,
  put,
  readOf,
} from "../../support/manifest-bytes.ts";
import { MANIFEST_DIRECTORY, manifestDisk } from "../../support/manifest-fixture.ts";
import { tableOf } from "../../support/table-metas.ts";

describe("a manifest with good checksums", () => {
  const { HEADER, EDIT, SNAPSHOT_END } = MANIFEST_RECORD;
  const header = [HEADER, pack({ version: 1 })] as const;
  const end = [SNAPSHOT_END, new Uint8Array()] as const;
  const edit = (added: VersionEdit["added"], removed: VersionEdit["removed"] = []) =>
    [EDIT, encodeEdit({ added, removed })] as const;
  const table = { level: 1, table: tableOf(5, "a", "m") };

  test("of the least that there may be is read", async () => {
    expect(await readOf(manifestOf([header, end]))).toMatchObject({ torn: 0 });
  });

  test("tells the largest next number of its edits, and that of its own name at least", async () => {
    const nextNumberOf = async (...numbers: (number | undefined)[]) => {
      const edits = numbers.map((nextNumber) => {
        const given = nextNumber === undefined ? {} : { nextNumber };
        return [EDIT, encodeEdit({ added: [], removed: [], ...given })] as const;
      });
      const fs = await manifestDisk();
      await put(fs, MANIFEST_PATH, manifestOf([header, end, ...edits]));
      await put(fs, CURRENT_PATH, Buffer.from(`${manifestName(MANIFEST_NUMBER)}\n`));
      return (await readManifest(fs, MANIFEST_DIRECTORY))?.nextNumber;
    };
    expect(await nextNumberOf()).toBe(MANIFEST_NUMBER + 1);
    expect(await nextNumberOf(50)).toBe(50);
    expect(await nextNumberOf(50, undefined, 40)).toBe(50);
  });

  test.each([
    ["an edit that removes what is not there", edit([], [{ level: 1, number: 9 }])],
    ["an edit that removes it from another level", edit([], [{ level: 2, number: 5 }])],
    ["an edit that adds what overlaps", edit([{ level: 1, table: tableOf(6, "m", "z") }])],
    ["an edit that is none", [EDIT, pack({ a: 1 })] as const],
    ["an edit that is not msgpack", [EDIT, Buffer.of(0xc1)] as const],
    ["a record of a kind that there is not", [9, new Uint8Array()] as const],
    ["a second header", header],
  ])("and %s is CORRUPTION, and names its place", async (what, record) => {
    const before = [header, edit([table]), end] as const;
    const at = manifestOf(before).length;
    const { message } = await expectCorrupt(manifestOf([...before, record]), what);
    expect(message).toContain(`${MANIFEST_PATH} at ${at}: `);
  });

  test("but no header, or one that says nothing, is CORRUPTION", async () => {
    for (const first of [
      pack({}),
      pack(null),
      pack({ version: "1" }),
      pack({ version: 0 }),
      Buffer.of(0xc1),
    ]) {
      await expectCorrupt(manifestOf([[HEADER, first], end]), "header");
    }
    await expectCorrupt(manifestOf([edit([table]), end]), "an edit first");
    await expectCorrupt(manifestOf([]), "nothing");
  });

  test("of a newer format is UNSUPPORTED_FORMAT", async () => {
    const outcome = await readOf(
      manifestOf([
        [HEADER, pack({ version: MANIFEST_FORMAT + 1, more: true })],
        [9, Buffer.of(1)],
      ]),
    );
    expect(outcome).toMatchObject({ code: "UNSUPPORTED_FORMAT" });
    expect((outcome as VarveError).message).toContain(
      `${MANIFEST_PATH} has format ${MANIFEST_FORMAT + 1}`,
    );
  });

  test("whose snapshot does not end is CORRUPTION", async () => {
    await expectCorrupt(manifestOf([header, edit([table])]), "no end");
  });
});

test.each([
  "",
  "\n",
  "000000001.manifest",
  "000000001.table\n",
  "../000000001.manifest\n",
  "\0".repeat(19),
])("a CURRENT of %j is CORRUPTION", async (text) => {
  const fs = await manifestDisk();
  await put(fs, MANIFEST_PATH, Buffer.from("anything"));
  await put(fs, CURRENT_PATH, Buffer.from(text));
  await expect(readManifest(fs, MANIFEST_DIRECTORY)).rejects.toMatchObject({
    code: "CORRUPTION",
    message: `${CURRENT_PATH} at 0: it does not name a manifest`,
  });
});

test("a CURRENT whose manifest is missing is CORRUPTION, and names both", async () => {
  const fs = await manifestDisk();
  await put(fs, CURRENT_PATH, Buffer.from(`${manifestName(MANIFEST_NUMBER)}\n`));
  await expect(readManifest(fs, MANIFEST_DIRECTORY)).rejects.toMatchObject({
    code: "CORRUPTION",
    message: `${MANIFEST_PATH} is missing, though ${CURRENT_PATH} names it`,
  });
});
