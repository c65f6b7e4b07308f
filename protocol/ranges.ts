/**
 * A range of keys to delete, in a request of its own or in a BATCH; little-endian:
 *
 *   DELETE_RANGE  durability u8 | range
 *   range         fields u8 | [gte] | [gt] | [lt] | [lte] | [prefix]
 *     fields        bit 0 gte, 1 gt, 2 lt, 3 lte, 4 prefix: the field is there
 *     each bound    length u32 | bytes
 *
 * That there is a bound at all is the store's to check. Bounds come out as views of the socket's chunk.
 */
import { BodyReader } from "./body-reader.ts";
import { type DurabilityChoice, readDurability, writeDurability } from "./durability.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import type { KeyRange } from "./store.ts";

/** In the order of their bits and of the fields. */
const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

/** As it comes off the wire. */
export type BytesRange = { readonly [Bound in (typeof BOUNDS)[number]]?: Uint8Array };

export interface DeleteRangeRequest {
  readonly durability: DurabilityChoice;
  readonly range: BytesRange;
}

export function writeRange(writer: FrameWriter, range: KeyRange): void {
  let fields = 0;
  for (const [bit, name] of BOUNDS.entries()) if (range[name] !== undefined) fields |= 1 << bit;
  writer.u8(fields);
  for (const name of BOUNDS) {
    const bound = range[name];
    if (bound !== undefined) writer.sized(bound);
  }
}

export function readRange(reader: BodyReader): BytesRange {
  const fields = reader.u8();
  if (fields >> BOUNDS.length !== 0) {
    throw reader.malformed(`range fields 0x${fields.toString(16)}`);
  }
  const range: { -readonly [Bound in keyof BytesRange]: Uint8Array } = {};
  for (const [bit, name] of BOUNDS.entries()) {
    if ((fields & (1 << bit)) !== 0) range[name] = reader.sized();
  }
  return range;
}

export function encodeDeleteRange(
  writer: FrameWriter,
  requestId: number,
  durability: DurabilityChoice,
  range: KeyRange,
): number {
  writer.begin(OPCODE.DELETE_RANGE, requestId);
  writeDurability(writer, durability);
  writeRange(writer, range);
  return writer.end();
}

export function decodeDeleteRange(frame: Frame): DeleteRangeRequest {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const durability = readDurability(reader);
  const range = readRange(reader);
  reader.finish();
  return { durability, range };
}
