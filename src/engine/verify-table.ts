/**
 * Reads all of one table and checks it against itself and against what the manifest says: every block's
 * checksum, the order of the keys, the filter (no key may be refused), the counts and the bounds. Reads off
 * the event loop, in large pieces, through no cache.
 */
import { join } from "node:path";
import { compareBytes, compareRanges } from "../bytes/compare.ts";
import { KeyHash } from "../bytes/key-hash.ts";
import { CURSOR } from "../entry-cursor.ts";
import { headerBytes } from "../entry-header.ts";
import { VarveError } from "../errors.ts";
import type { File, FileSystem } from "../fs/file-system.ts";
import { tableName } from "../fs/names.ts";
import { compareTrailers, isKnownKind, isTombstone, kindOf, sequenceOf } from "../key.ts";
import { decodeBlock } from "../table/block-format.ts";
import type { BlockSource } from "../table/block-source.ts";
import { parseTable, type Table } from "../table/table.ts";
import { TableCursor } from "../table/table-cursor.ts";
import type { TableMeta } from "../table/table-meta.ts";
import { tableRange } from "../table/table-range.ts";

const READ_BYTES = 1024 * 1024;

/** Throws `CORRUPTION`, or what reading throws, at the first thing that is wrong. */
export async function verifyTable(
  fs: FileSystem,
  directory: string,
  meta: TableMeta,
): Promise<void> {
  const path = join(directory, tableName(meta.number));
  const file = await fs.open(path, "read");
  try {
    const bytes = await file.size();
    if (bytes !== meta.fileBytes) {
      fail(
        path,
        Math.min(bytes, meta.fileBytes),
        `the file has ${bytes} bytes, not ${meta.fileBytes}`,
      );
    }
    const tail = Buffer.allocUnsafeSlow(meta.tailBytes);
    await file.read(tail, meta.fileBytes - meta.tailBytes);
    const table = parseTable(tail, { path, number: meta.number, fileBytes: meta.fileBytes });
    const check = new EntryCheck(table, path);
    const cursor = new TableCursor(table, new PieceSource(file, table));
    for (cursor.first(); ; cursor.next()) {
      while (cursor.state === CURSOR.BLOCKED) await cursor.load();
      if (cursor.state === CURSOR.END) break;
      check.next(cursor);
    }
    check.end(meta);
  } finally {
    await file.close();
  }
}

function fail(path: string, offset: number, what: string): never {
  throw new VarveError("CORRUPTION", `${path} at ${offset}: ${what}`);
}

/** Blocks in file order, read many at a time. */
class PieceSource implements BlockSource {
  readonly #file: File;
  readonly #table: Table;
  #piece: Uint8Array = new Uint8Array();
  #pieceAt = 0;

  constructor(file: File, table: Table) {
    this.#file = file;
    this.#table = table;
  }

  cached(block: number): Uint8Array | undefined {
    const { index, path } = this.#table;
    const offset = index.offset(block);
    const end = offset + index.storedBytes(block);
    if (offset < this.#pieceAt || end > this.#pieceAt + this.#piece.length) return undefined;
    return decodeBlock(
      this.#piece.subarray(offset - this.#pieceAt, end - this.#pieceAt),
      offset,
      path,
    );
  }

  async load(block: number): Promise<Uint8Array> {
    const { index, path } = this.#table;
    const offset = index.offset(block);
    const storedBytes = index.storedBytes(block);
    const piece = Buffer.allocUnsafeSlow(Math.max(READ_BYTES, storedBytes));
    const got = await this.#file.read(piece, offset);
    this.#piece = piece.subarray(0, got);
    this.#pieceAt = offset;
    return decodeBlock(this.#piece.subarray(0, storedBytes), offset, path);
  }

  loadSync(): never {
    throw new Error("a table is verified off the event loop");
  }
}

class EntryCheck {
  readonly #table: Table;
  readonly #path: string;
  readonly #hash = new KeyHash();
  #smallest: Uint8Array | undefined;
  #key: Uint8Array = new Uint8Array();
  #low = 0;
  #high = 0;
  #entries = 0;
  #tombstones = 0;
  #smallestSequence = Number.POSITIVE_INFINITY;
  #largestSequence = 0;

  constructor(table: Table, path: string) {
    this.#table = table;
    this.#path = path;
  }

  next(cursor: TableCursor): void {
    const { key, keyStart, keyEnd, trailerLow, trailerHigh } = cursor;
    const order = compareRanges(key, keyStart, keyEnd, this.#key, 0, this.#key.length);
    const isNewer =
      order === 0 && compareTrailers(trailerLow, trailerHigh, this.#low, this.#high) <= 0;
    if (this.#entries > 0 && (order < 0 || isNewer)) this.#fail("is not in order");
    const kind = kindOf(trailerLow);
    if (!isKnownKind(kind)) this.#fail(`has unknown kind ${kind}`);
    if (cursor.valueEnd - cursor.valueStart < headerBytes(kind)) this.#fail("is cut off");
    if (order !== 0 || this.#entries === 0) {
      this.#key = new Uint8Array(key.subarray(keyStart, keyEnd));
      this.#smallest ??= this.#key;
      this.#hash.update(this.#key);
      if (!this.#table.filter.mayContain(this.#hash)) this.#fail("is refused by the filter");
    }
    this.#low = trailerLow;
    this.#high = trailerHigh;
    this.#entries++;
    if (isTombstone(kind)) this.#tombstones++;
    this.#see(sequenceOf(trailerLow, trailerHigh));
  }

  #see(sequence: number): void {
    this.#smallestSequence = Math.min(this.#smallestSequence, sequence);
    this.#largestSequence = Math.max(this.#largestSequence, sequence);
  }

  /** Holds what was counted against the manifest's word and the table's own. */
  end(meta: TableMeta): void {
    const { ranges } = this.#table;
    for (const { sequences } of ranges?.fragments ?? [])
      for (const one of sequences) this.#see(one);
    const last = this.#entries === 0 ? undefined : this.#key;
    const { smallest, largest } = tableRange(this.#smallest, last, ranges);
    for (const said of [meta, this.#table.properties]) {
      const right =
        said.entries === this.#entries &&
        said.tombstones === this.#tombstones &&
        said.smallestSequence === this.#smallestSequence &&
        said.largestSequence === this.#largestSequence &&
        said.rangeDeletes === (ranges?.fragments.length ?? 0) &&
        compareBytes(said.smallest, smallest) === 0 &&
        compareBytes(said.largest, largest) === 0;
      if (!right)
        fail(this.#path, 0, "the entries are not those that manifest and properties tell of");
    }
  }

  #fail(what: string): never {
    fail(this.#path, 0, `entry ${this.#entries} ${what}`);
  }
}
