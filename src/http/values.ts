/** What JSON bodies say of keys, values and times to live, as what the store takes. */
import { durationMs } from "../durations.ts";
import { VarveError } from "../errors.ts";
import type { ValueEncoding } from "./entry-json.ts";
import { compactJson } from "./json-text.ts";

/** Throws `INVALID_ARGUMENT`. `written` is how the value stands in the body. */
export function valueBytes(
  value: unknown,
  encoding: ValueEncoding | undefined,
  written: () => string | undefined,
): Buffer {
  if (encoding === "json") {
    const text = written();
    if (text !== undefined) return Buffer.from(compactJson(text));
    throw new VarveError("INVALID_ARGUMENT", "there is no value");
  }
  if (typeof value !== "string") {
    const text = 'value must be a string; for a JSON document say "encoding": "json"';
    throw new VarveError("INVALID_ARGUMENT", text);
  }
  return encoding === "base64" ? base64Bytes(value, "value") : textBytes(value, "value");
}

export function keyBytes(key: string, encoding: "base64" | undefined): Buffer {
  return encoding === "base64" ? base64Bytes(key, "key") : textBytes(key, "key");
}

/** Milliseconds of a time that is in seconds unless it says otherwise. */
export function ttlMs(ttl: string | number): number {
  const ms = typeof ttl === "number" ? Math.round(ttl * 1000) : durationMs(ttl, "s");
  if (ms !== undefined && Number.isSafeInteger(ms)) return ms;
  throw new VarveError(
    "INVALID_ARGUMENT",
    `ttl is ${ttl}; it is seconds, or with ms, s, m, h or d`,
  );
}

function textBytes(text: string, name: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  throw new VarveError(
    "INVALID_ARGUMENT",
    `${name} has half of a surrogate pair, which is no text`,
  );
}

/** Either alphabet, with its padding or without. */
export function base64Bytes(text: string, name: string): Buffer {
  const digits = text.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/_-]*$/.test(digits) || digits.length % 4 === 1) {
    throw new VarveError("INVALID_ARGUMENT", `${name} is not base64`);
  }
  return Buffer.from(digits, "base64");
}
