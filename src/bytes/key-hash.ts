/**
 * The hash of a user key for filters: two 32-bit halves, computed once for a look-up in all tables. Both
 * come from one pass of Murmur3 over four bytes at a time, finalised twice with different constants.
 *
 * Stored filters and tags depend on it: it never changes without a new table format.
 *
 * Hot path: the halves are fields, so that hashing allocates nothing.
 */
export class KeyHash {
  /** Unsigned 32-bit. */
  first = 0;
  second = 0;

  update(key: Uint8Array, start = 0, end = key.length): void {
    let h = 0x9747b28c ^ (end - start);
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24);
      h = mixIn(h, word);
    }
    if (at < end) {
      let word = 0;
      for (let shift = 0; at < end; at++, shift += 8) word |= key[at]! << shift;
      h = mixIn(h, word);
    }
    this.first = finalise(h);
    this.second = finalise(Math.imul(h, 0x9e3779b1) ^ 0x85ebca77);
  }
}

function mixIn(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const mixed = h ^ Math.imul(k, 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finalise(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
