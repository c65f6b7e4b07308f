/**
 * When an entry expires: the field of flag bit 1, and part of other bodies. Little-endian:
 *
 *   expiry   kind u8 | ms u64     kind 1: so many milliseconds from now
 *                                      2: at this time, milliseconds since 1970
 *            kind u8                   0: never; in EXPIRE alone
 */
import type { BodyReader } from "./body-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { Expiry } from "./store.ts";

const KIND = { NEVER: 0, AFTER: 1, AT: 2 } as const;

export function isGiven({ ttlMs, expiresAt }: Expiry): boolean {
  return ttlMs !== undefined || expiresAt !== undefined;
}

/** Without `expiry`, or one that is not given: never. */
export function writeExpiry(writer: FrameWriter, expiry: Expiry = {}): void {
  const { ttlMs, expiresAt } = expiry;
  if (ttlMs !== undefined) {
    writer.u8(KIND.AFTER);
    writer.u64(ttlMs);
  } else if (expiresAt !== undefined) {
    writer.u8(KIND.AT);
    writer.u64(expiresAt);
  } else {
    writer.u8(KIND.NEVER);
  }
}

export function readExpiry(reader: BodyReader): Expiry {
  const expiry = readExpiryOrNever(reader);
  if (expiry === undefined) throw reader.malformed(`expiry kind ${KIND.NEVER}`);
  return expiry;
}

/** `undefined` for never. */
export function readExpiryOrNever(reader: BodyReader): Expiry | undefined {
  const kind = reader.u8();
  if (kind > KIND.AT) throw reader.malformed(`expiry kind ${kind}`);
  if (kind === KIND.NEVER) return undefined;
  const ms = reader.u64();
  return kind === KIND.AFTER ? { ttlMs: ms } : { expiresAt: ms };
}
