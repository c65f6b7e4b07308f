/**
 * Fields that a bit of the frame header's `flags` announces. They come first in the body, in the order of the
 * bits:
 *
 *   bit 0  conditions   in PUT, DELETE and BATCH     see conditions.ts
 *   bit 1  expiry       in PUT                       see expiry.ts
 */
import type { BodyReader } from "./body-reader.ts";
import { type BytesCondition, readConditions, writeConditions } from "./conditions.ts";
import { isGiven, readExpiry, writeExpiry } from "./expiry.ts";
import { expectFlags, FLAG, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { Expiry, WriteCondition } from "./store.ts";

export interface FlagFields {
  readonly conditions?: readonly BytesCondition[] | undefined;
  readonly expiry?: Expiry | undefined;
}

/** Right after `begin`. An empty list is as good as none. */
export function writeFlagFields(
  writer: FrameWriter,
  conditions: readonly WriteCondition[] | undefined,
  expiry?: Expiry,
): void {
  const isConditional = conditions !== undefined && conditions.length > 0;
  const expires = expiry !== undefined && isGiven(expiry);
  writer.flags((isConditional ? FLAG.CONDITIONS : 0) | (expires ? FLAG.EXPIRY : 0));
  if (isConditional) writeConditions(writer, conditions);
  if (expires) writeExpiry(writer, expiry);
}

/** Refuses flag bits but those of `known`. */
export function readFlagFields(reader: BodyReader, frame: Frame, known: number): FlagFields {
  expectFlags(frame, known);
  const has = (flag: number) => (frame.flags & flag) !== 0;
  return {
    conditions: has(FLAG.CONDITIONS) ? readConditions(reader) : undefined,
    expiry: has(FLAG.EXPIRY) ? readExpiry(reader) : undefined,
  };
}
