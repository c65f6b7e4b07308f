/**
 * Reads what can be read of a damaged log segment: every record that is whole, also behind damage. For
 * repair, and, up to the damage, for reading only; recovery fails at damage.
 */
import type { FileSystem } from "../fs/file-system.ts";
import { checksumSeed, isRecord, lengthAt, RECORD_HEADER_BYTES, RecordCursor } from "./record.ts";

export interface SalvagedSegment {
  /** The records before the first damage. */
  readonly sound: RecordCursor;
  /** In order; the cursor's fields are those of the record that it was handed out for. */
  readonly records: Iterable<RecordCursor>;
  /** Ranges of bytes between whole records, where others were lost. */
  readonly gaps: readonly { readonly start: number; readonly end: number }[];
}

export async function salvageSegment(
  fs: FileSystem,
  path: string,
  number: number,
): Promise<SalvagedSegment> {
  const file = await fs.open(path, "read");
  try {
    const bytes = Buffer.allocUnsafeSlow(await file.size());
    const got = await file.read(bytes, 0);
    return salvage(bytes.subarray(0, got), checksumSeed(number));
  } finally {
    await file.close();
  }
}

function salvage(bytes: Uint8Array, seed: number): SalvagedSegment {
  const gaps: { start: number; end: number }[] = [];
  const runs: { start: number; end: number }[] = [];
  let end = 0;
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    if (!isRecord(bytes, at, seed)) {
      at++;
      continue;
    }
    if (at > end) gaps.push({ start: end, end: at });
    const start = at;
    while (isRecord(bytes, at, seed)) at += RECORD_HEADER_BYTES + lengthAt(bytes, at);
    runs.push({ start, end: at });
    end = at;
  }
  const [first] = runs;
  const sound = new RecordCursor(bytes, first?.start === 0 ? first.end : 0);
  return { sound, records: walk(bytes, runs), gaps };
}

function* walk(
  bytes: Uint8Array,
  runs: readonly { readonly start: number; readonly end: number }[],
): Generator<RecordCursor> {
  for (const { start, end } of runs) {
    const cursor = new RecordCursor(bytes.subarray(start, end), end - start);
    while (cursor.next()) yield cursor;
  }
}
