/** Keys as the store orders them, for what is decided beside it. */
import { VarveError } from "./errors.ts";
import type { Data, KeyRange } from "./store.ts";

/** Throws `INVALID_ARGUMENT` for what is neither text nor bytes. */
export function bytesOf(data: Data): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  const message = `keys, values and bounds are strings or Uint8Arrays, not ${typeof data}`;
  throw new VarveError("INVALID_ARGUMENT", message);
}

/** A key's bytes as a copy; throws `KEY_EMPTY` for none. */
export function ownKey(key: Data): Uint8Array {
  const bytes = new Uint8Array(bytesOf(key));
  if (bytes.length === 0) throw new VarveError("KEY_EMPTY", "a key has at least one byte");
  return bytes;
}

/** Different for different keys, and in their order. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

export function isInRange(key: Uint8Array, { gte, gt, lt, lte, prefix }: KeyRange): boolean {
  return (
    (gte === undefined || Buffer.compare(key, bytesOf(gte)) >= 0) &&
    (gt === undefined || Buffer.compare(key, bytesOf(gt)) > 0) &&
    (lt === undefined || Buffer.compare(key, bytesOf(lt)) < 0) &&
    (lte === undefined || Buffer.compare(key, bytesOf(lte)) <= 0) &&
    (prefix === undefined || startsWith(key, bytesOf(prefix)))
  );
}

function startsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return (
    key.length >= prefix.length && Buffer.compare(key.subarray(0, prefix.length), prefix) === 0
  );
}
