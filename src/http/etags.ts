/**
 * Entity tags: an entry's is its sequence in quotes, so a tag says which write put the value there, and a condition on it
 * is a condition of the store.
 */
import { VarveError } from "../errors.ts";
import type { Condition, EntryRecord } from "../store.ts";

export function etagOf(entry: EntryRecord): string {
  return `"${entry.sequence}"`;
}

/** What `If-Match` or `If-None-Match` lists; `any` for `*`. A tag that is none of ours matches nothing. */
export interface Tags {
  readonly any: boolean;
  /** Sequences of strong tags, and of weak ones, which only a comparison that allows for them counts. */
  readonly strong: readonly number[];
  readonly weak: readonly number[];
}

export function parseTags(header: string, name: string): Tags {
  const text = header.trim();
  if (text === "*") return { any: true, strong: [], weak: [] };
  const strong: number[] = [];
  const weak: number[] = [];
  const tag = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/y;
  while (tag.lastIndex < text.length) {
    const found = tag.exec(text);
    if (found === null) {
      throw new VarveError(
        "INVALID_ARGUMENT",
        `${name} is *, or tags in quotes with commas between`,
      );
    }
    const sequence = /^[1-9]\d{0,15}$/.test(found[2] ?? "") ? Number(found[2]) : Number.NaN;
    (found[1] === undefined ? strong : weak).push(sequence);
  }
  if (strong.length + weak.length === 0) {
    throw new VarveError("INVALID_ARGUMENT", `${name} is empty`);
  }
  return { any: false, strong, weak };
}

export interface Preconditions {
  readonly ifMatch: Tags | undefined;
  readonly ifNoneMatch: Tags | undefined;
}

/** `undefined` where there are none. Throws `INVALID_ARGUMENT`. */
export function preconditionsOf(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): Preconditions | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  return {
    ifMatch: ifMatch === undefined ? undefined : parseTags(ifMatch, "If-Match"),
    ifNoneMatch: ifNoneMatch === undefined ? undefined : parseTags(ifNoneMatch, "If-None-Match"),
  };
}

/** The one condition of the store that says the same; `undefined` where the entry has to be looked at first. */
export function simpleCondition({ ifMatch, ifNoneMatch }: Preconditions): Condition | undefined {
  if (ifMatch !== undefined && ifNoneMatch !== undefined) return undefined;
  if (ifNoneMatch !== undefined) return ifNoneMatch.any ? { absent: true } : undefined;
  if (ifMatch?.any) return { present: true };
  const [sequence] = ifMatch?.strong ?? [];
  const isOne = ifMatch?.strong.length === 1 && ifMatch.weak.length === 0;
  return isOne && sequence !== undefined && Number.isSafeInteger(sequence)
    ? { sequence }
    : undefined;
}

/** `If-Match`, with the strong comparison. */
export function isMatched(tags: Tags, entry: EntryRecord | undefined): boolean {
  return entry !== undefined && (tags.any || tags.strong.includes(entry.sequence));
}

/** `If-None-Match` finds what it names, with the weak comparison: no write, and a 304 for a read. */
export function isNamed(tags: Tags, entry: EntryRecord | undefined): boolean {
  if (entry === undefined) return false;
  return tags.any || tags.strong.includes(entry.sequence) || tags.weak.includes(entry.sequence);
}
