/**
 * CRC-32 of any range of a buffer in time that does not grow with the range. CRC is linear: with P(k) the CRC
 * of the first k bytes, and x^n the operator that appends n zero bits,
 *
 *   crc(bytes[a, b), seed) = ((seed ^ P(a)) * x^(8 (b - a)) mod polynomial) ^ P(b)
 *
 * (Mark Adler's `crc32_combine` in zlib is the source of the arithmetic). P is kept for every CHUNK_BYTES;
 * what lies between is computed from there.
 */
import { crc32 } from "node:zlib";

const CHUNK_BYTES = 1024;
/** Shorter ranges are faster computed as they are. */
const DIRECT_BYTES_MAX = 4 * CHUNK_BYTES;
/** CRC-32's polynomial, bits reversed as in zlib. */
const POLYNOMIAL = 0xedb88320;

export class ChecksumIndex {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  /** CRC of `bytes[start, start + i * CHUNK_BYTES)` at i; made when first needed. */
  #prefixes: Uint32Array | undefined;
  /** x^(2^i) modulo the polynomial at i. */
  readonly #powers = powersOfX();

  /** Of ranges in `bytes[start, …)`. */
  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#start = start;
  }

  /** `crc32(bytes.subarray(from, to), seed)` */
  range(from: number, to: number, seed: number): number {
    if (to - from <= DIRECT_BYTES_MAX) return crc32(this.#bytes.subarray(from, to), seed);
    const shifted = multiply(this.#xPower((to - from) * 8), (seed ^ this.#prefix(from)) >>> 0);
    return (shifted ^ this.#prefix(to)) >>> 0;
  }

  #prefix(to: number): number {
    this.#prefixes ??= this.#makePrefixes();
    const chunk = Math.floor((to - this.#start) / CHUNK_BYTES);
    const chunkStart = this.#start + chunk * CHUNK_BYTES;
    return crc32(this.#bytes.subarray(chunkStart, to), this.#prefixes[chunk]!);
  }

  #makePrefixes(): Uint32Array {
    const length = this.#bytes.length - this.#start;
    const prefixes = new Uint32Array(Math.floor(length / CHUNK_BYTES) + 1);
    for (let i = 1; i < prefixes.length; i++) {
      const from = this.#start + (i - 1) * CHUNK_BYTES;
      prefixes[i] = crc32(this.#bytes.subarray(from, from + CHUNK_BYTES), prefixes[i - 1]!);
    }
    return prefixes;
  }

  /** x^n modulo the polynomial. */
  #xPower(n: number): number {
    let product = 0x80000000;
    let rest = n;
    for (let i = 0; rest > 0; i++) {
      if (rest % 2 === 1) product = multiply(this.#powers[i % 32]!, product);
      rest = Math.floor(rest / 2);
    }
    return product;
  }
}

function powersOfX(): Uint32Array {
  const powers = new Uint32Array(32);
  powers[0] = 0x40000000;
  for (let i = 1; i < 32; i++) powers[i] = multiply(powers[i - 1]!, powers[i - 1]!);
  return powers;
}

/** The product of two polynomials modulo the polynomial; the highest bit stands for x^0. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = 0x80000000; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= factor;
    factor = (factor & 1) === 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}
