/** A manifest that is damaged, cut or foreign: told as such, and never read as a state that it never had. */
import { join } from "node:path";
import { pack } from "msgpackr";
import { beforeAll, describe, expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { CURRENT_NAME, manifestName } from "../../../src/fs/names.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "../../../src/log/record.ts";
import { scanRecords } from "../../../src/log/record-scan.ts";
import { encodeEdit, type VersionEdit } from "../../../src/version/edit.ts";
import { MANIFEST_RECORD } from "../../../src/version/manifest.ts";
import { readManifest } from "../../../src/version/manifest-reader.ts";
import {
  ChangingTree,
  MANIFEST_DIRECTORY,
  manifestDisk,
  summaryOf,
} from "../../support/manifest-fixture.ts";
import type { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { tableOf } from "../../support/table-metas.ts";

const NUMBER = 1;
const PATH = join(MANIFEST_DIRECTORY, manifestName(NUMBER));
const CURRENT = join(MANIFEST_DIRECTORY, CURRENT_NAME);
const APPENDS = 4;

async function put(fs: MemoryFileSystem, path: string, bytes: Uint8Array): Promise<void> {
  if (await fs.exists(path)) await fs.remove(path);
  const file = await fs.open(path, "create");
  await file.write(bytes, 0);
  await file.close();
}

async function contentOf(fs: MemoryFileSystem, path: string): Promise<Buffer> {
  const file = await fs.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

/** What is read of a directory with this manifest: its state and torn bytes, or the error. */
async function readOf(manifest: Uint8Array): Promise<{ state: string; torn: number } | VarveError> {
  const fs = await manifestDisk();
  await put(fs, PATH, manifest);
  await put(fs, CURRENT, Buffer.from(`${manifestName(NUMBER)}\n`));
  try {
    const content = await readManifest(fs, MANIFEST_DIRECTORY);
    if (content === undefined) throw new Error("there is a CURRENT");
    return { state: summaryOf(content), torn: content.tornBytes };
  } catch (error) {
    if (!(error instanceof VarveError)) throw error;
    expect(fs.openFiles).toBe(0);
    return error;
  }
}

async function expectCorrupt(manifest: Uint8Array, what: string): Promise<VarveError> {
  const outcome = await readOf(manifest);
  expect(outcome, what).toBeInstanceOf(VarveError);
  const { code, message } = outcome as VarveError;
  expect(code, what).toBe("CORRUPTION");
  expect(message, what).toMatch(new RegExp(`^${PATH} at \\d+: `));
  return outcome as VarveError;
}

/** Where records start, by number: those of the snapshot, then one for each append, then perhaps the close. */
function recordStarts(bytes: Uint8Array): number[] {
  const records = scanRecords(bytes, NUMBER, PATH).records();
  const starts: number[] = [];
  while (records.next()) starts.push(records.start);
  return starts;
}

describe("a manifest with some appends", () => {
  let closed: Buffer;
  let open: Buffer;
  /** After the snapshot and after each append: the state, and where the records so far end. */
  const states: { state: string; end: number }[] = [];

  beforeAll(async () => {
    const fs = await manifestDisk();
    const tree = new ChangingTree(3);
    const manifest = await tree.create(fs, 2 ** 40);
    const note = async () => {
      states.push({ state: summaryOf(tree.state), end: (await contentOf(fs, PATH)).length });
    };
    await note();
    for (let i = 0; i < APPENDS; i++) {
      await tree.append(manifest);
      await note();
    }
    open = await contentOf(fs, PATH);
    await manifest.close();
    closed = await contentOf(fs, PATH);
  });

  /** The state of which nothing was lost in the first `bytes`. */
  const stateAt = (bytes: number) => states.findLast(({ end }) => end <= bytes);
  const lastStart = () => states.at(-2)!.end;

  test("is read back, closed or not", async () => {
    const { state } = states.at(-1)!;
    expect(await readOf(closed)).toEqual({ state, torn: 0 });
    expect(await readOf(open)).toEqual({ state, torn: 0 });
    expect(recordStarts(closed)).toHaveLength(recordStarts(open).length + 1);
  });

  test("that was closed is CORRUPTION with any bit flipped before its last record", async () => {
    for (let bit = 0; bit < open.length * 8; bit++) {
      const damaged = Buffer.from(closed);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      const { message } = await expectCorrupt(damaged, `bit ${bit}`);
      const start = recordStarts(closed).findLast((at) => at <= bit >>> 3);
      expect(message).toContain(`${PATH} at ${start}: `);
    }
  });

  test("that was closed loses nothing with its last record", async () => {
    const { state } = states.at(-1)!;
    for (let bit = open.length * 8; bit < closed.length * 8; bit++) {
      const damaged = Buffer.from(closed);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      expect(await readOf(damaged), `bit ${bit}`).toMatchObject({ state });
    }
  });

  test("that was not closed lacks the last append, if that is damaged, and says so", async () => {
    const before = states.at(-2)!.state;
    for (let bit = 0; bit < open.length * 8; bit++) {
      const damaged = Buffer.from(open);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      if (bit >>> 3 < lastStart()) await expectCorrupt(damaged, `bit ${bit}`);
      else
        expect(await readOf(damaged)).toEqual({ state: before, torn: open.length - lastStart() });
    }
  });

  test("cut to any length is the state of the records that are whole, or CORRUPTION where none is", async () => {
    for (let bytes = 0; bytes < open.length; bytes++) {
      const cut = open.subarray(0, bytes);
      const whole = stateAt(bytes);
      if (whole === undefined) {
        await expectCorrupt(cut, `${bytes} bytes`);
        continue;
      }
      const outcome = await readOf(cut);
      expect(outcome, `${bytes} bytes`).toMatchObject({ state: whole.state });
      // Zeros at the end are not told from a file that was made longer before it was written.
      const { torn } = outcome as { torn: number };
      const rest = cut.subarray(whole.end);
      expect(torn).toBe(rest.length - /\0*$/.exec(rest.toString("latin1"))![0].length);
    }
  });

  test("with zeros behind any byte is as if it ended there", async () => {
    for (let bytes = 0; bytes < open.length; bytes += 3) {
      const zeroed = Buffer.from(open).fill(0, bytes);
      // A record may end with zeros, which are as good.
      const whole = states.findLast(({ end }) => zeroed.compare(open, 0, end, 0, end) === 0);
      if (whole === undefined) await expectCorrupt(zeroed, `zeros from ${bytes}`);
      else
        expect(await readOf(zeroed), `zeros from ${bytes}`).toMatchObject({ state: whole.state });
    }
  });

  test("with zeros over any stretch before the last append is CORRUPTION", async () => {
    for (let from = 0; from < lastStart(); from += 5) {
      const zeroed = Buffer.from(open).fill(0, from, Math.min(from + 40, lastStart()));
      await expectCorrupt(zeroed, `zeros from ${from}`);
    }
  });

  test("under another number is CORRUPTION", async () => {
    const fs = await manifestDisk();
    await put(fs, join(MANIFEST_DIRECTORY, manifestName(2)), open);
    await put(fs, CURRENT, Buffer.from(`${manifestName(2)}\n`));
    await expect(readManifest(fs, MANIFEST_DIRECTORY)).rejects.toMatchObject({
      code: "CORRUPTION",
    });
  });
});

/** A manifest of these records, each with a good checksum. */
function manifestOf(records: readonly (readonly [kind: number, payload: Uint8Array])[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const [kind, payload] of records) {
    const record = Buffer.concat([Buffer.alloc(RECORD_HEADER_BYTES), payload]);
    encodeRecordHeader(record, 0, payload.length, kind, at, NUMBER);
    parts.push(record);
    at += record.length;
  }
  return Buffer.concat(parts);
}

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
      await put(fs, PATH, manifestOf([header, end, ...edits]));
      await put(fs, CURRENT, Buffer.from(`${manifestName(NUMBER)}\n`));
      return (await readManifest(fs, MANIFEST_DIRECTORY))?.nextNumber;
    };
    expect(await nextNumberOf()).toBe(NUMBER + 1);
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
    expect(message).toContain(`${PATH} at ${at}: `);
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
        [HEADER, pack({ version: 2, more: true })],
        [9, Buffer.of(1)],
      ]),
    );
    expect(outcome).toMatchObject({ code: "UNSUPPORTED_FORMAT" });
    expect((outcome as VarveError).message).toContain(`${PATH} has format 2`);
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
  await put(fs, PATH, Buffer.from("anything"));
  await put(fs, CURRENT, Buffer.from(text));
  await expect(readManifest(fs, MANIFEST_DIRECTORY)).rejects.toMatchObject({
    code: "CORRUPTION",
    message: `${CURRENT} at 0: it does not name a manifest`,
  });
});

test("a CURRENT whose manifest is missing is CORRUPTION, and names both", async () => {
  const fs = await manifestDisk();
  await put(fs, CURRENT, Buffer.from(`${manifestName(NUMBER)}\n`));
  await expect(readManifest(fs, MANIFEST_DIRECTORY)).rejects.toMatchObject({
    code: "CORRUPTION",
    message: `${PATH} is missing, though ${CURRENT} names it`,
  });
});
