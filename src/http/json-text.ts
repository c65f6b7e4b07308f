/**
 * JSON as the text that it is: what a body holds is counted before it is parsed, as parsed JSON may take thirty times the
 * memory of its text; and a document in it is taken as it was written, so that its numbers stay exact and it costs
 * no more than its text. Loops over characters, with no recursion: this may be the text of 32 MiB, nested however deeply.
 */
import { VarveError } from "../errors.ts";

/**
 * Objects, arrays and members in one body. A batch with the most operations that the store takes has fewer; parsed, so many
 * take up to 250 MB.
 */
export const JSON_PARTS_MAX = 4 * 1024 * 1024;
/** Of a document that is stored: it is to be read by others, too, whose parsers may recurse. */
const DEPTH_MAX = 2000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const [OPEN_ARRAY, CLOSE_ARRAY] = [0x5b, 0x5d];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];
const SPACE = 0x20;

/** Throws `BODY_TOO_LARGE`. The text need not be JSON. */
export function assertFewParts(text: string, partsMax = JSON_PARTS_MAX): void {
  if (text.length <= partsMax) return;
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = stringEnd(text, at) - 1;
    else if (code === OPEN_ARRAY || code === OPEN_OBJECT || code === COLON) parts++;
  }
  if (parts <= partsMax) return;
  throw new VarveError(
    "BODY_TOO_LARGE",
    `the body has ${parts} objects, arrays and members; at most ${partsMax} are taken`,
  );
}

/** The same without white space: on one line. Of JSON only, as all below. Throws `INVALID_ARGUMENT`. */
export function compactJson(text: string): string {
  const pieces: string[] = [];
  let from = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth++;
      if (depth > DEPTH_MAX) {
        throw new VarveError("INVALID_ARGUMENT", "the document is nested too deeply");
      }
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      depth--;
    } else if (code <= SPACE) {
      if (at > from) pieces.push(text.slice(from, at));
      from = at + 1;
    }
  }
  if (from === 0) return text;
  pieces.push(text.slice(from));
  return pieces.join("");
}

/** How the object's member of that name is written, the last one as `JSON.parse` has it. */
export function memberText(object: string, name: string): string | undefined {
  let found: string | undefined;
  let at = pastSpace(object, pastSpace(object, 0) + 1);
  while (object.charCodeAt(at) === QUOTE) {
    const nameEnd = stringEnd(object, at);
    const from = pastSpace(object, pastSpace(object, nameEnd) + 1);
    const end = valueEnd(object, from);
    if (JSON.parse(object.slice(at, nameEnd)) === name) found = object.slice(from, end);
    at = pastSpace(object, pastSpace(object, end) + 1);
  }
  return found;
}

/** How the array's elements are written. */
export function* elementTexts(array: string): Generator<string, undefined> {
  let at = pastSpace(array, pastSpace(array, 0) + 1);
  while (at < array.length && array.charCodeAt(at) !== CLOSE_ARRAY) {
    const end = valueEnd(array, at);
    yield array.slice(at, end);
    at = pastSpace(array, pastSpace(array, end) + 1);
  }
}

function valueEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1;
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth++;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      // That of what the value is in.
      if (depth === 0) return at;
      depth--;
    } else if (depth === 0 && (code === COMMA || code <= SPACE)) {
      return at;
    }
  }
  return text.length;
}

/** Behind the quote that closes the string, which begins at `from`. */
function stringEnd(text: string, from: number): number {
  let at = text.indexOf('"', from + 1);
  while (at !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at + 1;
    at = text.indexOf('"', at + 1);
  }
  return text.length;
}

function pastSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= SPACE) at++;
  return at;
}
