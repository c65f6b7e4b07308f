/**
 * Entries as JSON text, put together by hand: this is what a GET spends its time on beside HTTP itself. Keys and values
 * are text where they are UTF-8, and base64 where not, which `key_encoding` and `encoding` then say.
 */
import { isUtf8 } from "node:buffer";
import type { EntryRecord } from "../store.ts";

/** How a value stands in JSON: as a string, as the JSON document that it is, or as base64. */
export const ENCODINGS = ["utf8", "json", "base64"] as const;
export type ValueEncoding = (typeof ENCODINGS)[number];

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** `"key":…`, and `"key_encoding"` where it is needed. */
export function keyFields(key: Uint8Array, name = "key"): string {
  const bytes = bufferOf(key);
  if (isUtf8(bytes)) return `"${name}":${JSON.stringify(bytes.toString())}`;
  return `"${name}":"${bytes.toString("base64")}","${name}_encoding":"base64"`;
}

/** `"value":…`, in the encoding that is wished for if it can be had, and `"encoding"` where it is not text. */
export function valueFields(value: Uint8Array, wished: ValueEncoding): string {
  const bytes = bufferOf(value);
  if (wished === "base64" || !isUtf8(bytes)) {
    return `"value":"${bytes.toString("base64")}","encoding":"base64"`;
  }
  const text = bytes.toString();
  if (wished === "json") {
    const document = documentOf(text);
    if (document !== undefined) return `"value":${document},"encoding":"json"`;
  }
  return `"value":${JSON.stringify(text)}`;
}

export class EntryJson {
  /** Most entries were created and written in one and the same millisecond, or have been asked for just before. */
  #ms = 0;
  #text = new Date(0).toISOString();

  of(key: Uint8Array, entry: EntryRecord, wished: ValueEncoding): string {
    const { value, revision, createdAt, updatedAt, expiresAt } = entry;
    const expires = expiresAt === undefined ? "" : `,"expires_at":"${this.time(expiresAt)}"`;
    return `{${keyFields(key)},${valueFields(value, wished)},"version":${revision},"created_at":"${this.time(createdAt)}","updated_at":"${this.time(updatedAt)}"${expires}}`;
  }

  /** Of an entry without its value. */
  ofKey(key: Uint8Array, entry: EntryRecord): string {
    const { revision, createdAt, updatedAt, expiresAt } = entry;
    const expires = expiresAt === undefined ? "" : `,"expires_at":"${this.time(expiresAt)}"`;
    return `{${keyFields(key)},"version":${revision},"created_at":"${this.time(createdAt)}","updated_at":"${this.time(updatedAt)}"${expires}}`;
  }

  /** ISO 8601, in UTC, with milliseconds. */
  time(ms: number): string {
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#text = new Date(ms).toISOString();
    }
    return this.#text;
  }
}

/** The text as JSON on one line, with its numbers as they are written; `undefined` where it is no JSON. */
function documentOf(text: string): string | undefined {
  try {
    if (!/[\r\n]/.test(text)) {
      JSON.parse(text);
      return text;
    }
    return JSON.stringify(parseExactly(text));
  } catch {
    return undefined;
  }
}

interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** As `JSON.parse`, but that `JSON.stringify` gives back every number as it was written, however large or precise. */
export function parseExactly(text: string): unknown {
  const json = JSON as unknown as ExactJson;
  return json.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined ? json.rawJSON(source) : value,
  );
}
