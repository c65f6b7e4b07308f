/**
 * A version edit: what one flush or compaction changed, as the manifest records it. Encoded with
 * `msgpackr`; the keys are short because every table's record repeats them:
 *
 *   { a: [[level, table] …], r: [[level, number] …], l?: log floor, n?: next file number, s?: last sequence,
 *     p?: pruned to, i?: ingested to, k?: [[keyspace, pruned to] …] }
 *
 *   table = [number, fileBytes, tailBytes, entries, tombstones, smallest, largest, smallestSequence,
 *            largestSequence, rawBytes, createdAtMs, oldestMs, expiring, halfExpiredMs, rangeDeletes,
 *            hidden?, quarterHiddenAt?, hiddenParts?: [[keyspace, hidden, [sequence …]] …]]
 */
import { pack, unpack } from "msgpackr";
import { VarveError } from "../errors.ts";
import { LEVELS } from "../options.ts";
import { type HiddenParts, isHiddenParts } from "../table/hidden-entries.ts";
import type { TableMeta } from "../table/table-meta.ts";
import type { KeyspacePastList } from "./past.ts";

export interface AddedTable {
  readonly level: number;
  readonly table: TableMeta;
}

export interface RemovedTable {
  readonly level: number;
  readonly number: number;
}

export interface VersionEdit {
  readonly added: readonly AddedTable[];
  readonly removed: readonly RemovedTable[];
  /** The first log segment that is still needed. */
  readonly logFloor?: number;
  /** No file has this number or a larger one. */
  readonly nextNumber?: number;
  /** All sequences up to this are in tables, or nowhere, but for those of ingests. */
  readonly lastSequence?: number;
  /** The newest sequence that an ingest has taken. */
  readonly ingestedTo?: number;
  /** Below this sequence the past is not whole any more. */
  readonly prunedTo?: number;
  /** Keyspaces for which that is another sequence from now on. */
  readonly prunedKeyspaces?: KeyspacePastList;
}

type ShortRecord = readonly [
  number: number,
  fileBytes: number,
  tailBytes: number,
  entries: number,
  tombstones: number,
  smallest: Uint8Array,
  largest: Uint8Array,
  smallestSequence: number,
  largestSequence: number,
  rawBytes: number,
  createdAtMs: number,
  oldestMs: number,
  expiring: number,
  halfExpiredMs: number,
  rangeDeletes: number,
];
type HiddenRecord = readonly [...ShortRecord, hidden: number, quarterHiddenAt: number];
type TableRecord =
  | ShortRecord
  | HiddenRecord
  | readonly [...HiddenRecord, hiddenParts: HiddenParts];

interface EditRecord {
  a: readonly (readonly [level: number, table: TableRecord])[];
  r: readonly (readonly [level: number, number: number])[];
  l?: number;
  n?: number;
  s?: number;
  p?: number;
  i?: number;
  k?: KeyspacePastList;
}

export function encodeEdit(edit: VersionEdit): Uint8Array {
  const record: EditRecord = {
    a: edit.added.map(({ level, table }) => [level, recordOf(table)]),
    r: edit.removed.map(({ level, number }) => [level, number]),
  };
  if (edit.logFloor !== undefined) record.l = edit.logFloor;
  if (edit.nextNumber !== undefined) record.n = edit.nextNumber;
  if (edit.lastSequence !== undefined) record.s = edit.lastSequence;
  if (edit.prunedTo !== undefined) record.p = edit.prunedTo;
  if (edit.ingestedTo !== undefined) record.i = edit.ingestedTo;
  const { prunedKeyspaces = [] } = edit;
  if (prunedKeyspaces.length > 0) record.k = prunedKeyspaces;
  return pack(record);
}

/** Throws `CORRUPTION`, naming `where`, for bytes that are not an edit. */
export function decodeEdit(bytes: Uint8Array, where: string): VersionEdit {
  let record: unknown;
  try {
    record = unpack(bytes);
  } catch (cause) {
    throw corrupt(where, "it is not msgpack", cause);
  }
  if (!isEditRecord(record)) throw corrupt(where, "it has not the fields of an edit");
  return {
    added: record.a.map(([level, table]) => ({ level, table: tableOf(table) })),
    removed: record.r.map(([level, number]) => ({ level, number })),
    ...(record.l === undefined ? {} : { logFloor: record.l }),
    ...(record.n === undefined ? {} : { nextNumber: record.n }),
    ...(record.s === undefined ? {} : { lastSequence: record.s }),
    ...(record.p === undefined ? {} : { prunedTo: record.p }),
    ...(record.i === undefined ? {} : { ingestedTo: record.i }),
    ...(record.k === undefined ? {} : { prunedKeyspaces: record.k }),
  };
}

function recordOf(table: TableMeta): TableRecord {
  const record: ShortRecord = [
    table.number,
    table.fileBytes,
    table.tailBytes,
    table.entries,
    table.tombstones,
    table.smallest,
    table.largest,
    table.smallestSequence,
    table.largestSequence,
    table.rawBytes,
    table.createdAtMs,
    table.oldestMs,
    table.expiring,
    table.halfExpiredMs,
    table.rangeDeletes,
  ];
  if (table.hidden === 0) return record;
  const { hidden, quarterHiddenAt, hiddenParts } = table;
  if (hiddenParts === undefined) return [...record, hidden, quarterHiddenAt];
  return [...record, hidden, quarterHiddenAt, hiddenParts];
}

function tableOf(record: TableRecord): TableMeta {
  return {
    number: record[0],
    fileBytes: record[1],
    tailBytes: record[2],
    entries: record[3],
    tombstones: record[4],
    // Copies: the decoder's arrays are views that would keep all of the manifest in memory.
    smallest: new Uint8Array(record[5]),
    largest: new Uint8Array(record[6]),
    smallestSequence: record[7],
    largestSequence: record[8],
    rawBytes: record[9],
    createdAtMs: record[10],
    oldestMs: record[11],
    expiring: record[12],
    halfExpiredMs: record[13],
    rangeDeletes: record[14],
    hidden: record[15] ?? 0,
    quarterHiddenAt: record[16] ?? 0,
    ...(record[17] === undefined ? {} : { hiddenParts: record[17] }),
  };
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isLevel = (value: unknown): value is number => isCount(value) && value < LEVELS;
const isKey = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array && value.length > 0;
const isOptionalCount = (value: unknown): boolean => value === undefined || isCount(value);

const isPastList = (value: unknown): value is KeyspacePastList =>
  Array.isArray(value) &&
  value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isCount));

const TABLE_FIELDS = 15;
/** With those that tables have of which something is hidden, and those that tell it by keyspace. */
const TABLE_FIELDS_HIDDEN = 17;
const TABLE_FIELDS_ALL = 18;
const TABLE_FIELD_COUNTS = [TABLE_FIELDS, TABLE_FIELDS_HIDDEN, TABLE_FIELDS_ALL];
const SMALLEST_FIELD = 5;
const LARGEST_FIELD = 6;

function isTableRecord(value: unknown): value is TableRecord {
  return (
    Array.isArray(value) &&
    TABLE_FIELD_COUNTS.includes(value.length) &&
    value.every((field, i) => {
      if (i === TABLE_FIELDS_HIDDEN) return isHiddenParts(field);
      return i === SMALLEST_FIELD || i === LARGEST_FIELD ? isKey(field) : isCount(field);
    })
  );
}

function isEditRecord(value: unknown): value is EditRecord {
  if (typeof value !== "object" || value === null) return false;
  const { a, r, l, n, s, p, i, k } = value as Partial<Record<keyof EditRecord, unknown>>;
  return (
    Array.isArray(a) &&
    a.every((pair) => Array.isArray(pair) && isLevel(pair[0]) && isTableRecord(pair[1])) &&
    Array.isArray(r) &&
    r.every((pair) => Array.isArray(pair) && isLevel(pair[0]) && isCount(pair[1])) &&
    isOptionalCount(l) &&
    isOptionalCount(n) &&
    isOptionalCount(s) &&
    isOptionalCount(p) &&
    isOptionalCount(i) &&
    (k === undefined || isPastList(k))
  );
}

function corrupt(where: string, what: string, cause?: unknown): VarveError {
  return new VarveError("CORRUPTION", `${where}: not a version edit: ${what}`, { cause });
}
