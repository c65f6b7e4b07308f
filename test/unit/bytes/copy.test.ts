import { expect, test } from "vitest";
import { copyBetween, slabOf } from "../../../src/bytes/copy.ts";
import { Random, seeds } from "../../support/random.ts";

test.each(seeds(30))("ranges are copied and nothing beside them (seed %i)", (seed) => {
  const random = new Random(seed);
  // Views that begin somewhere in their memory, as a Buffer's do.
  const source = random.bytes(9000).subarray(random.below(9));
  const shared = new Uint8Array(new SharedArrayBuffer(source.length));
  shared.set(source);
  const memory = new Uint8Array(9000);
  const target = memory.subarray(random.below(9));
  for (const from of [source, shared]) {
    for (const most of [20, 20, 20, 200, 2100, 5000]) {
      const start = random.below(3000);
      const end = start + random.below(most);
      const at = random.below(3000);
      const want = target.slice();
      want.set(source.subarray(start, end), at);
      copyBetween(slabOf(from), start, end, slabOf(target), at);
      expect(Buffer.compare(target, want)).toBe(0);
    }
  }
});

test("bits that would not be a number as a float stay as they are", () => {
  const source = new Uint8Array(16).fill(0xff);
  source[6] = 0xf7;
  const target = new Uint8Array(16);
  copyBetween(slabOf(source), 0, 16, slabOf(target), 0);
  expect(target).toEqual(source);
});
