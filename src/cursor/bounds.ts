/** The bounds of a scan, brought to one form: from `lower`, inclusive, to `upper`, exclusive. */
import { compareBytes } from "../bytes/compare.ts";

/** Without a `lower` or `upper` there is no bound on that side. Where they cross, the range is empty. */
export interface KeyBounds {
  readonly lower: Uint8Array | undefined;
  readonly upper: Uint8Array | undefined;
}

/** As in `ScanOptions`, as bytes. Any of them may be given together: a key must satisfy all. */
export interface BoundOptions {
  readonly gte?: Uint8Array | undefined;
  readonly gt?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
  readonly lte?: Uint8Array | undefined;
  readonly prefix?: Uint8Array | undefined;
}

export function keyBounds({ gte, gt, lt, lte, prefix }: BoundOptions): KeyBounds {
  const lowers = [gte, gt && keyAfter(gt), prefix].filter((bound) => bound !== undefined);
  const uppers = [lt, lte && keyAfter(lte), prefix && prefixEnd(prefix)].filter(
    (bound) => bound !== undefined,
  );
  return { lower: lowers.sort(compareBytes).at(-1), upper: uppers.sort(compareBytes).at(0) };
}

/** The first key after `key`: there is nothing between a key and itself with a zero byte appended. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** The first key after all that start with `prefix`; undefined where nothing comes after them. */
function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  const last = prefix.findLastIndex((byte) => byte !== 0xff);
  if (last === -1) return undefined;
  // Not `slice`: that of a Buffer is a view, and would change the caller's bytes.
  const end = new Uint8Array(prefix.subarray(0, last + 1));
  end[last]!++;
  return end;
}
