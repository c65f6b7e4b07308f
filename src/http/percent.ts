/**
 * Percent-encoding over bytes: in a path, and in a query, where it is looked at as text first and as bytes where a key is
 * meant. A query's value that is not UTF-8 becomes a string in which each byte from 0x80 on is the lone surrogate 0xDC00
 * plus the byte: it is no text, as `isWellFormed` tells, and its bytes come back from it whole.
 *
 * Source of the idea: Python's `surrogateescape` (PEP 383).
 */
import { isUtf8 } from "node:buffer";
import { VarveError } from "../errors.ts";

const PERCENT = 0x25;
const ESCAPE = 0xdc00;

/** The bytes of a piece of a URL, whose characters stand for one byte each. Throws `INVALID_ARGUMENT`. */
export function percentDecode(text: string): Buffer {
  const bytes = decode(text);
  if (bytes !== undefined) return bytes;
  throw new VarveError(
    "INVALID_ARGUMENT",
    `${quoted(text)} is not percent-encoded as it should be`,
  );
}

/** What is wrong with a query; in the place of what was asked. */
export class BadQuery {
  readonly error: VarveError;

  constructor(message: string) {
    this.error = new VarveError("INVALID_ARGUMENT", message);
  }
}

export type Query = Record<string, string>;

const NO_QUERY: Query = Object.freeze({});

/** Does not throw: the router would not catch it. */
export function parseQuery(text: string): Query | BadQuery {
  if (text === "") return NO_QUERY;
  const query: Query = Object.create(null) as Query;
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = queryText(at === -1 ? pair : pair.slice(0, at));
    const value = at === -1 ? "" : queryText(pair.slice(at + 1));
    if (name === undefined || value === undefined) {
      return new BadQuery(`${quoted(pair)} is not percent-encoded as it should be`);
    }
    if (name in query) return new BadQuery(`${quoted(name)} is given more than once`);
    query[name] = value;
  }
  return query;
}

/** The bytes that a query's value stands for. */
export function queryBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const bytes = Buffer.allocUnsafe(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) & 0xff;
  return bytes;
}

function queryText(text: string): string | undefined {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  const bytes = decode(spaced);
  if (bytes === undefined) return undefined;
  if (isUtf8(bytes)) return bytes.toString();
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : ESCAPE + byte)).join(
    "",
  );
}

function decode(text: string): Buffer | undefined {
  if (!text.includes("%")) return Buffer.from(text, "latin1");
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let byte = text.charCodeAt(i);
    if (byte === PERCENT) {
      const high = hexOf(text.charCodeAt(i + 1));
      const low = hexOf(text.charCodeAt(i + 2));
      if (high < 0 || low < 0) return undefined;
      byte = high * 16 + low;
      i += 2;
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** -1 for what is no hexadecimal digit, or is not there. */
function hexOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
