/** A table's file: what it says of itself is right, and one that is damaged, cut or of the future is told. */
import { crc32 } from "node:zlib";
import { pack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { compareBytes } from "../../../src/bytes/compare.ts";
import { expiresAtOf, withExpiry } from "../../../src/entry-header.ts";
import { VarveError } from "../../../src/errors.ts";
import { tableName } from "../../../src/fs/names.ts";
import { FLAG, KIND } from "../../../src/key.ts";
import { decodeProperties } from "../../../src/table/properties.ts";
import { TableCursor } from "../../../src/table/table-cursor.ts";
import { FOOTER_BYTES, TABLE_FORMAT } from "../../../src/table/table-format.ts";
import type { TableMeta } from "../../../src/table/table-meta.ts";
import { readTableMeta } from "../../../src/table/table-reader.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { entryAt, type ModelEntry, sortEntries } from "../../support/model-entries.ts";
import { Random, seeds } from "../../support/random.ts";
import {
  openTable,
  pathOfTable,
  sourceOf,
  TABLE_OPTIONS,
  writeTable,
} from "../../support/table-fixture.ts";

const PATH = pathOfTable(TABLE_OPTIONS.number);

function someEntries(seed: number, count = 40): ModelEntry[] {
  const random = new Random(seed);
  const entries = Array.from({ length: count }, (_, i) => {
    const key = Uint8Array.from(Buffer.from(`key:${random.below(count)}`));
    const at = { key, sequence: 3 * i + 5, timeMs: random.below(100_000) };
    if (random.chance(30)) return { ...at, kind: KIND.DELETE, value: new Uint8Array() };
    const value = random.bytes(random.below(20));
    if (random.chance(60)) return { ...at, kind: KIND.PUT, value };
    const expiring = withExpiry(value, random.below(1_000_000));
    return { ...at, kind: KIND.PUT | FLAG.EXPIRES, value: expiring };
  });
  return sortEntries(entries);
}

function contentOf(fs: MemoryFileSystem): Buffer {
  const file = fs.sync.open(PATH, "read");
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0);
  file.close();
  return bytes;
}

/** A disk with this file and nothing else. */
function diskOf(bytes: Uint8Array): MemoryFileSystem {
  const fs = new MemoryFileSystem();
  const file = fs.sync.open(PATH, "create");
  file.write(bytes, 0);
  file.close();
  return fs;
}

/** All that is in the table, read as repair and compaction read it. */
async function readAll(fs: MemoryFileSystem): Promise<{ meta: TableMeta; entries: ModelEntry[] }> {
  const meta = await readTableMeta(fs, PATH, TABLE_OPTIONS.number);
  const table = openTable(fs, meta);
  const cursor = new TableCursor(table, sourceOf(fs, table));
  const entries: ModelEntry[] = [];
  cursor.first();
  for (let entry = entryAt(cursor); entry !== undefined; entry = entryAt(cursor)) {
    entries.push(entry);
    cursor.next();
  }
  return { meta, entries };
}

async function errorOf(bytes: Uint8Array): Promise<VarveError> {
  const fs = diskOf(bytes);
  const error = await readAll(fs).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(VarveError);
  return error as VarveError;
}

test.each(seeds(30))("properties tell what is in the table (seed %i)", async (seed) => {
  const entries = someEntries(seed, 1 + new Random(seed).below(80));
  const fs = new MemoryFileSystem();
  const meta = writeTable(fs, entries, { codec: seed % 2 === 0 ? "lz4" : "none" });
  const sequences = entries.map(({ sequence }) => sequence);
  const expiries = entries
    .map(({ kind, value }) => expiresAtOf(kind, value, 0))
    .filter((expiresAt) => expiresAt !== Number.POSITIVE_INFINITY);
  const hiding = entries
    .filter(({ key }, i) => Buffer.from(key).equals(entries[i + 1]?.key ?? Buffer.alloc(0)))
    .map(({ sequence }) => sequence)
    .sort((a, b) => a - b);
  expect(meta).toEqual({
    number: TABLE_OPTIONS.number,
    fileBytes: contentOf(fs).length,
    tailBytes: meta.tailBytes,
    entries: entries.length,
    rangeDeletes: 0,
    tombstones: entries.filter(({ kind }) => kind === KIND.DELETE).length,
    smallest: entries[0]?.key,
    largest: entries.at(-1)?.key,
    smallestSequence: Math.min(...sequences),
    largestSequence: Math.max(...sequences),
    rawBytes: entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
    createdAtMs: TABLE_OPTIONS.createdAtMs,
    oldestMs: Math.min(...entries.map(({ timeMs }) => timeMs)),
    expiring: expiries.length,
    halfExpiredMs: expiries.sort((a, b) => a - b)[(expiries.length - 1) >>> 1] ?? 0,
    hidden: hiding.length,
    quarterHiddenAt: hiding[Math.ceil(entries.length / 4) - 1] ?? 0,
  });
  const { properties, index } = openTable(fs, meta);
  const last = index.length - 1;
  expect(properties.dataBytes).toBe(meta.fileBytes - meta.tailBytes);
  expect(properties.dataBytes).toBe(index.offset(last) + index.storedBytes(last));
  expect(properties.codec).toBe(seed % 2 === 0 ? "lz4" : "none");
  // The table alone tells all that the manifest would.
  expect(await readAll(fs)).toEqual({ meta, entries });
  expect(fs.openFiles).toBe(1);
});

test("a table that does not say what is hidden in it hides nothing", () => {
  const fs = new MemoryFileSystem();
  const { properties } = openTable(fs, writeTable(fs, someEntries(5)));
  const { hidden: _hidden, quarterHiddenAt: _quarter, ...older } = properties;
  const none = { ...properties, hidden: 0, quarterHiddenAt: 0 };
  expect(decodeProperties(pack(older), "/t", 9)).toEqual(none);
});

test("what is learned of a table does not hold its tail in memory", async () => {
  const fs = new MemoryFileSystem();
  writeTable(fs, someEntries(1));
  const { smallest, largest } = await readTableMeta(fs, PATH, TABLE_OPTIONS.number);
  expect(smallest.buffer.byteLength).toBe(smallest.length);
  expect(largest.buffer.byteLength).toBe(largest.length);
});

test("a table is on the disk when it is finished, its name when the directory is synced", async () => {
  const fs = new MemoryFileSystem();
  const entries = someEntries(1);
  writeTable(fs, entries);
  expect(fs.openFiles).toBe(0);
  fs.sync.syncDirectory("/");
  for (const seed of seeds(20))
    expect((await readAll(fs.crashImage(seed))).entries).toEqual(entries);
});

test("a writer refuses entries out of order", () => {
  const [first, second] = someEntries(2) as [ModelEntry, ModelEntry];
  expect(() => writeTable(new MemoryFileSystem(), [second, first])).toThrow("internal-key order");
  expect(() => writeTable(new MemoryFileSystem(), [first, first])).toThrow("internal-key order");
  const newer = { ...first, sequence: first.sequence + 1 };
  expect(() => writeTable(new MemoryFileSystem(), [first, newer])).toThrow("internal-key order");
  expect(() => writeTable(new MemoryFileSystem(), [])).toThrow("at least one entry");
});

describe("a table that is not whole", () => {
  const entries = someEntries(3, 12);
  const original = new MemoryFileSystem();
  const meta = writeTable(original, entries);
  const whole = contentOf(original);
  const footerAt = whole.length - FOOTER_BYTES;

  test("is CORRUPTION with any bit flipped, and names the place", async () => {
    const table = openTable(original, meta);
    const blocks = Array.from({ length: table.index.length }, (_, i) => table.index.offset(i));
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const damaged = Buffer.from(whole);
      const at = bit >>> 3;
      damaged[at]! ^= 1 << (bit & 7);
      const { code, message } = await errorOf(damaged);
      expect(code, `bit ${bit}: ${message}`).toBe("CORRUPTION");
      const said = Number(/ at (\d+): /.exec(message)?.[1]);
      expect(message, `bit ${bit}`).toContain(PATH);
      // The start of the damaged part: a data block's, or a part's of the tail.
      expect(said, `bit ${bit}: ${message}`).toBeLessThanOrEqual(at);
      if (at < meta.fileBytes - meta.tailBytes) {
        expect(said, `bit ${bit}: ${message}`).toBe(blocks.findLast((offset) => offset <= at));
      } else {
        expect(said).toBeGreaterThanOrEqual(meta.fileBytes - meta.tailBytes);
      }
    }
  });

  test("is CORRUPTION cut to any length", async () => {
    for (let bytes = 0; bytes < whole.length; bytes++) {
      const { code, message } = await errorOf(whole.subarray(0, bytes));
      expect(code, `${bytes} bytes: ${message}`).toBe("CORRUPTION");
      expect(message).toContain(PATH);
    }
  });

  test("is CORRUPTION with its front cut off, or another table's front", async () => {
    for (let bytes = 1; bytes < footerAt; bytes += 7) {
      expect((await errorOf(whole.subarray(bytes))).code, `${bytes} bytes`).toBe("CORRUPTION");
    }
    const other = new MemoryFileSystem();
    writeTable(other, someEntries(4, 12));
    const front = contentOf(other).subarray(0, 100);
    expect((await errorOf(Buffer.concat([front, whole.subarray(100)]))).code).toBe("CORRUPTION");
  });

  test("is CORRUPTION behind other bytes' magic", async () => {
    const foreign = Buffer.from(whole);
    foreign.write("leveldb!", whole.length - 8, "latin1");
    expect((await errorOf(foreign)).message).toBe(
      `${PATH} at ${footerAt}: the file does not end as a table does`,
    );
  });

  /** The table with another format version in its footer, whose checksum is right. */
  function withFormat(format: number): Buffer {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE(format, footerAt + 12);
    bytes.writeUInt32LE(crc32(bytes.subarray(footerAt, footerAt + 16)), footerAt + 16);
    return bytes;
  }

  test("of another format is UNSUPPORTED_FORMAT, whatever its other lengths mean then", async () => {
    for (const format of [1, TABLE_FORMAT + 1, 0xffff_ffff]) {
      const { code, message } = await errorOf(withFormat(format));
      expect(code).toBe("UNSUPPORTED_FORMAT");
      expect(message).toContain(PATH);
      expect(message).toContain(`format ${format}`);
      expect((await errorOf(withFormat(format).subarray(footerAt))).code).toBe(code);
    }
  });

  test("that is a footer alone is CORRUPTION", async () => {
    expect((await errorOf(whole.subarray(footerAt))).code).toBe("CORRUPTION");
  });

  test("under another table's name is CORRUPTION", async () => {
    const fs = diskOf(whole);
    await fs.rename(PATH, `/${tableName(8)}`);
    await expect(readTableMeta(fs, `/${tableName(8)}`, 8)).rejects.toMatchObject({
      code: "CORRUPTION",
      message: expect.stringContaining("the file is table 7, though its name says 8"),
    });
    expect(fs.openFiles).toBe(0);
  });
});

test("properties that lack a field, or have one of another kind, are CORRUPTION", () => {
  const fs = new MemoryFileSystem();
  const entries = someEntries(5);
  const { properties } = openTable(fs, writeTable(fs, entries));
  expect(decodeProperties(pack(properties), "/t", 9)).toEqual(properties);
  const refused = expect.objectContaining({
    code: "CORRUPTION",
    message: expect.stringContaining("/t at 9: "),
  });
  for (const name of Object.keys(properties)) {
    for (const value of [undefined, null, {}, true, 1.5, []]) {
      // Older tables do not say what is hidden.
      if (value === undefined && (name === "hidden" || name === "quarterHiddenAt")) continue;
      const record = pack({ ...properties, [name]: value });
      expect(() => decodeProperties(record, "/t", 9), `${name} ${value}`).toThrow(refused);
    }
  }
  for (const record of [1, null, "text", []]) {
    expect(() => decodeProperties(pack(record), "/t", 9)).toThrow(refused);
  }
  for (const bytes of [Buffer.of(), Buffer.of(0xc1), pack(properties).subarray(0, 20)]) {
    expect(() => decodeProperties(bytes, "/t", 9)).toThrow(refused);
  }
  expect(compareBytes(properties.smallest, entries[0]!.key)).toBe(0);
});
