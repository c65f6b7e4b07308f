/**
 * Entries as JSON text, put together by hand: this is what a GET spends its time on beside HTTP itself. Keys and values
 * are text where they are UTF-8, and base64 where not, which `key_encoding` and `encoding` then say.
 */
import { isUtf8 } from "node:buffer";
import type { EntryRecord } from "../store.ts";
import { IsoTime } from "./iso-time.ts";
import { compactJson } from "./json-text.ts";

/** How a value stands in JSON: as a string, as the JSON document that it is, or as base64. */
export const ENCODINGS = ["utf8", "json", "base64"] as const;
export type ValueEncoding = (typeof ENCODINGS)[number];

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
/** What is longer is decoded and escaped at the speed of memory. */
const PLAIN_BYTES_MAX = 1024;
// Takes any `Uint8Array`, though the types know it of a `Buffer` alone, which would have to be made.
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice: (this: Uint8Array, start: number, end: number) => string;
};
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The string that stands for bytes which are ASCII without quotes, backslashes and control characters, as most are;
 * `undefined` for others. A page of 100 entries takes an eighth less so.
 */
function plainText(bytes: Uint8Array): string | undefined {
  const text = latin1Slice.call(bytes, 0, bytes.length);
  return PLAIN.test(text) ? text : undefined;
}

/** `"key":…`, and `"key_encoding"` where it is needed. */
export function keyFields(key: Uint8Array, name = "key"): string {
  const plain = plainText(key);
  if (plain !== undefined) return `"${name}":"${plain}"`;
  if (isUtf8(key)) return `"${name}":${JSON.stringify(decoder.decode(key))}`;
  return `"${name}":"${bufferOf(key).toString("base64")}","${name}_encoding":"base64"`;
}

/** `"value":…`, in the encoding that is wished for if it can be had, and `"encoding"` where it is not text. */
export function valueFields(value: Uint8Array, wished: ValueEncoding): string {
  if (wished === "utf8" && value.length <= PLAIN_BYTES_MAX) {
    const plain = plainText(value);
    if (plain !== undefined) return `"value":"${plain}"`;
  }
  if (wished === "base64" || !isUtf8(value)) {
    return `"value":"${bufferOf(value).toString("base64")}","encoding":"base64"`;
  }
  const text = decoder.decode(value);
  if (wished === "json") {
    const document = documentOf(text);
    if (document !== undefined) return `"value":${document},"encoding":"json"`;
  }
  return `"value":${JSON.stringify(text)}`;
}

export class EntryJson {
  readonly #times = new IsoTime();

  of(key: Uint8Array, entry: EntryRecord, wished: ValueEncoding): string {
    return `{${keyFields(key)},${valueFields(entry.value, wished)}${this.#known(entry)}}`;
  }

  /** Of an entry without its value. */
  ofKey(key: Uint8Array, entry: EntryRecord): string {
    return `{${keyFields(key)}${this.#known(entry)}}`;
  }

  /** ISO 8601, in UTC, with milliseconds. */
  time(ms: number): string {
    return this.#times.of(ms);
  }

  #known({ revision, createdAt, updatedAt, expiresAt }: EntryRecord): string {
    const created = this.#times.of(createdAt);
    const updated = updatedAt === createdAt ? created : this.#times.of(updatedAt);
    const expires = expiresAt === undefined ? "" : `,"expires_at":"${this.#times.of(expiresAt)}"`;
    return `,"version":${revision},"created_at":"${created}","updated_at":"${updated}"${expires}`;
  }
}

/** The text as JSON on one line, with its numbers as they are written; `undefined` where it is no JSON. */
function documentOf(text: string): string | undefined {
  try {
    JSON.parse(text);
    return /[\r\n]/.test(text) ? compactJson(text) : text;
  } catch {
    return undefined;
  }
}
