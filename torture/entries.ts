/**
 * The entries that the load writes. Keys are few and written again and again, so that a directory stays
 * small over thousands of rounds. Every put has a value of its own, so what is read says who wrote it.
 */

const PREFIX = "torture/";
const HOT = 8;
const COLD = 400;
const GROUPS = 4;
const GROUP_MEMBERS = 5;

const numbered = (count: number, name: (i: string) => string): readonly string[] =>
  Array.from({ length: count }, (_, i) => name(String(i).padStart(3, "0")));

/** Many calls at once on each of these. */
export const HOT_KEYS = numbered(HOT, (i) => `${PREFIX}hot/${i}`);
/** Enough of these for flushes and compactions. */
export const COLD_KEYS = numbered(COLD, (i) => `${PREFIX}cold/${i}`);
/** The members of a group are written together, in one batch, and with one value. */
export const GROUP_KEYS: readonly (readonly string[])[] = numbered(
  GROUPS,
  (i) => `${PREFIX}group/${i}/`,
).map((group) => numbered(GROUP_MEMBERS, (i) => group + i));

export const EVERYTHING = { prefix: PREFIX } as const;
export const ALL_KEYS = [...HOT_KEYS, ...COLD_KEYS, ...GROUP_KEYS.flat()] as const;

const TAG = /^[^|]+@(\d+)\|/;
const decoder = new TextDecoder();

/** The value that stands for `tag`: the tag and its length, repeated until the value is so long. */
export function valueFor(tag: string, bytes: number): string {
  const head = `${tag}@${bytes}|`;
  const length = Math.max(bytes, head.length);
  return head.repeat(Math.ceil(length / head.length)).slice(0, length);
}

/** The tag of a value; throws where any byte of it is not as it was made. */
export function tagOf(value: Uint8Array): string {
  const text = decoder.decode(value);
  const head = TAG.exec(text);
  const bytes = Number(head?.[1]);
  const tag = head?.[0].slice(0, head[0].lastIndexOf("@"));
  if (tag === undefined || valueFor(tag, bytes) !== text) {
    throw new Error(`a value is not as it was made: ${text.slice(0, 100)}`);
  }
  return tag;
}
