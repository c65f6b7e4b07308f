/** Stored keys as text that fits into a line, for people. Not to be read back. */
import { keyspaceOf, NO_KEYSPACE, prefixBytesOf, SYSTEM_KEYSPACE } from "../store.ts";

const CHARACTERS_MAX = 48;
/** Enough for as many characters, and the rest of one that is cut. */
const BYTES_MAX = CHARACTERS_MAX * 4;

export type KeyspaceNames = ReadonlyMap<number, string>;

/**
 * Text as it is, with what is not printable, or not UTF-8, as `\xNN`; cut at 48 characters. The prefix of the default
 * keyspace is left out; a key of another begins with that one's name and a slash.
 */
export function printableKey(stored: Uint8Array, names: KeyspaceNames): string {
  const keyspace = keyspaceOf(stored) ?? NO_KEYSPACE;
  const space = keyspace === NO_KEYSPACE ? "" : `${nameOf(keyspace, names)}/`;
  const key = stored.subarray(prefixBytesOf(stored));
  const characters = [...space, ...charactersOf(key.subarray(0, BYTES_MAX))];
  if (characters.length <= CHARACTERS_MAX) return characters.join("");
  return `${characters.slice(0, CHARACTERS_MAX - 1).join("")}…`;
}

function nameOf(keyspace: number, names: KeyspaceNames): string {
  if (keyspace === SYSTEM_KEYSPACE) return "(store)";
  return names.get(keyspace) ?? `#${keyspace}`;
}

/** Each printed character, or escape, by itself, so that none is cut within. */
function charactersOf(bytes: Uint8Array): string[] {
  const printed: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = characterBytes(bytes, at);
    const character = length === 0 ? "" : Buffer.from(bytes.subarray(at, at + length)).toString();
    if (length === 0 || /[\p{C}\p{Z}\ufffd]/u.test(character.replace(" ", ""))) {
      printed.push(escaped(bytes[at]!));
      at++;
    } else {
      printed.push(character === "\\" ? "\\\\" : character);
      at += length;
    }
  }
  return printed;
}

/** Bytes of the UTF-8 character at `at`; 0 where what is there is none. */
function characterBytes(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first > 0xf4 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  return length;
}

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
