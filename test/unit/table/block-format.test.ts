/** Stored blocks: read back whole with every codec, and never taken for whole when they are not. */
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VarveError } from "../../../src/errors.ts";
import { BLOCK_TRAILER_BYTES, decodeBlock, encodeBlock } from "../../../src/table/block-format.ts";
import { CODEC, type Codec, codecNumber, compress } from "../../../src/table/codec.ts";
import { Random } from "../../support/random.ts";

const CODECS = [
  ["none", CODEC.NONE],
  ["lz4", CODEC.LZ4],
  ["zstd", CODEC.ZSTD],
] as const;
const PATH = "/db/000000007.table";
const COMPRESSIBLE = Buffer.from("a block that says the same again and again; ".repeat(6));

function expectCorrupt(stored: Uint8Array, offset: number, what: string): void {
  try {
    decodeBlock(stored, offset, PATH);
  } catch (error) {
    expect(error, what).toBeInstanceOf(VarveError);
    const { code, message } = error as VarveError;
    expect(code, what).toBe("CORRUPTION");
    expect(message, what).toContain(`${PATH} at ${offset}: `);
    return;
  }
  expect.unreachable(`${what}: the block was taken for whole`);
}

/** A block with these contents and a checksum that is right. */
function sealed(contents: Uint8Array, codec: number, offset: number): Buffer {
  const block = Buffer.concat([contents, Buffer.of(codec), Buffer.alloc(4)]);
  block.writeUInt32LE(crc32(block.subarray(0, -4), offset), block.length - 4);
  return block;
}

describe.each(CODECS)("a block stored with %s", (name, codec) => {
  test("has the number of its codec", () => {
    expect(codecNumber(name)).toBe(codec);
    expect(encodeBlock(COMPRESSIBLE, codec, 0).at(-BLOCK_TRAILER_BYTES)).toBe(codec);
  });

  test("is read back, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(200),
        fc.nat(2 ** 32 - 1),
        (bytes, repeat, offset) => {
          const contents = Buffer.concat([bytes, Buffer.alloc(repeat, "v")]);
          const stored = encodeBlock(contents, codec, offset);
          expect(stored.length).toBeLessThanOrEqual(contents.length + BLOCK_TRAILER_BYTES);
          expect(Buffer.from(decodeBlock(stored, offset, PATH))).toEqual(contents);
        },
      ),
    );
  });

  test("is read back from the middle of a larger buffer", () => {
    const stored = encodeBlock(COMPRESSIBLE, codec, 99);
    const around = Buffer.concat([Buffer.alloc(13, 1), stored, Buffer.alloc(7, 2)]);
    const contents = decodeBlock(around.subarray(13, 13 + stored.length), 99, PATH);
    expect(Buffer.from(contents)).toEqual(COMPRESSIBLE);
  });

  test("is CORRUPTION with any bit flipped", () => {
    const stored = encodeBlock(COMPRESSIBLE, codec, 4096);
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const damaged = Buffer.from(stored);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      expectCorrupt(damaged, 4096, `bit ${bit}`);
    }
  });

  test("is CORRUPTION cut to any length, at either end", () => {
    const stored = encodeBlock(COMPRESSIBLE, codec, 4096);
    for (let bytes = 0; bytes < stored.length; bytes++) {
      expectCorrupt(stored.subarray(0, bytes), 4096, `the first ${bytes} bytes`);
      expectCorrupt(stored.subarray(stored.length - bytes), 4096, `the last ${bytes} bytes`);
    }
  });

  test("is CORRUPTION with a stretch of zeros or another block's bytes in it", () => {
    const stored = encodeBlock(COMPRESSIBLE, codec, 4096);
    const other = encodeBlock(Buffer.from(new Random(1).bytes(400)), CODEC.NONE, 4096);
    for (let from = 0; from + 8 <= stored.length; from++) {
      const zeroed = Buffer.from(stored).fill(0, from, from + 8);
      if (!zeroed.equals(stored)) expectCorrupt(zeroed, 4096, `zeros at ${from}`);
      const mixed = Buffer.from(stored);
      other.copy(mixed, from, from, from + 8);
      expectCorrupt(mixed, 4096, `foreign bytes at ${from}`);
    }
  });

  test("is CORRUPTION in another block's place", () => {
    const stored = encodeBlock(COMPRESSIBLE, codec, 4096);
    for (const offset of [0, 1, 4095, 4097, 8192, 2 ** 32 - 1]) {
      expectCorrupt(stored, offset, `at ${offset}`);
    }
  });
});

test("a block that a codec would not make smaller is stored as it is", () => {
  const noise = Buffer.from(new Random(3).bytes(1000));
  for (const [, codec] of CODECS) {
    const stored = encodeBlock(noise, codec, 0);
    expect(stored.at(-BLOCK_TRAILER_BYTES)).toBe(CODEC.NONE);
    expect(stored.length).toBe(noise.length + BLOCK_TRAILER_BYTES);
  }
});

test.each(CODECS.slice(1))("%s saves most of a block that says little", (_name, codec) => {
  expect(encodeBlock(COMPRESSIBLE, codec, 0).length).toBeLessThan(COMPRESSIBLE.length / 2);
});

test("bytes with a good checksum that no codec made are CORRUPTION", () => {
  const random = new Random(5);
  for (let i = 0; i < 200; i++) {
    expectCorrupt(sealed(random.bytes(i), CODEC.ZSTD, 10), 10, `zstd, ${i} bytes`);
  }
  for (const codec of [3, 4, 127, 255]) expectCorrupt(sealed(COMPRESSIBLE, codec, 10), 10, "codec");
});

test("a compressed block that claims to be larger than any is CORRUPTION, and not allocated", () => {
  const lz4 = compress(CODEC.LZ4, COMPRESSIBLE);
  lz4.writeUInt32LE(0xffff_fff0, 0);
  expectCorrupt(sealed(lz4, CODEC.LZ4, 10), 10, "lz4");
  const bomb = compress(CODEC.ZSTD as Codec, Buffer.alloc(65 * 1024 * 1024));
  expectCorrupt(sealed(bomb, CODEC.ZSTD, 10), 10, "zstd");
});

test.each([0, 1, 2, 3])("an lz4 block of %i bytes is CORRUPTION", (bytes) => {
  expectCorrupt(sealed(new Uint8Array(bytes), CODEC.LZ4, 10), 10, "lz4");
});

test("an lz4 block that holds more than it says in front is CORRUPTION", () => {
  const whole = compress(CODEC.LZ4, COMPRESSIBLE);
  for (const length of [0, 1, COMPRESSIBLE.length - 1]) {
    const other = Buffer.from(whole);
    other.writeUInt32LE(length, 0);
    expectCorrupt(sealed(other, CODEC.LZ4, 10), 10, `length ${length}`);
  }
});
