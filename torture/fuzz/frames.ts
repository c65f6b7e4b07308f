/** Requests by chance, as bytes, and what a hostile or broken peer makes of them. */
import {
  type BytesCondition,
  type BytesOperation,
  type BytesRange,
  type Expiry,
  encodeCounter,
  encodeRequest,
  type FrameWriter,
  MERGE_OPERATORS,
  PROTOCOL_VERSION_MAX,
  type Request,
} from "varve-protocol";
import type { Random } from "../../test/support/random.ts";
import { frames } from "../../test/support/raw-client.ts";

/** Far from the keys of the load, so that no mutation reaches one of those. */
const PREFIX = "~~fuzz~~/";
const KEYS = 200;
const VALUE_BYTES_MAX = 400;
const SCAN_CREDIT_MAX = 20_000;
const BATCH_MAX = 10;
const CONDITIONS_MAX = 3;
const TTL_MS_MAX = 2000;
const EXPIRES_AT_MAX = 2 ** 43;
const SEQUENCE_MAX = 1000;
const MUTATIONS_MAX = 3;
const EXTREMES = [0, 1, 5, 6, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff] as const;
const HEADER_BYTES = 10;

const encoder = new TextEncoder();

/** A request that a server must carry out, or refuse as one that is well-formed. */
export function randomRequest(random: Random): Request {
  const key = () => randomKey(random);
  const keys = () => Array.from({ length: random.below(BATCH_MAX) }, key);
  const dice = random.below(1000);
  if (dice < 180) return { kind: "GET", key: key() };
  if (dice < 210) return { kind: "GET_ENTRY", key: key() };
  if (dice < 215) return { kind: "GET", key: key(), at: { sequence: random.below(SEQUENCE_MAX) } };
  if (dice < 220) return { kind: "HISTORY", key: key(), limit: 1 + random.below(20) };
  if (dice < 300) return { kind: "GET_MANY", keys: keys() };
  if (dice < 700) return randomWrite(random);
  if (dice < 820) {
    const options = { prefix: encoder.encode(PREFIX), gte: key(), reverse: random.chance(50) };
    const dicePage = random.below(100);
    if (dicePage < 10) return { kind: "PAGE", options: { ...options, cursor: random.bytes(12) } };
    if (dicePage < 25) return { kind: "PAGE", options: { ...options, keysOnly: true } };
    if (dicePage < 30) return { kind: "COUNT", range: { prefix: options.prefix } };
    const seekable = random.chance(20) ? { seekable: true } : {};
    return {
      kind: "SCAN",
      credit: random.below(SCAN_CREDIT_MAX),
      options: { ...options, ...seekable },
    };
  }
  if (dice < 840) {
    const since = random.chance(70) ? { since: random.below(SEQUENCE_MAX) } : {};
    const credit = random.below(SCAN_CREDIT_MAX);
    return { kind: "WATCH", credit, ...since, range: { prefix: encoder.encode(PREFIX) } };
  }
  if (dice < 850) return { kind: "WATCH_CREDIT", credit: random.below(SCAN_CREDIT_MAX) };
  if (dice < 870) return { kind: "SCAN_SEEK", key: key() };
  if (dice < 900) return { kind: "SCAN_CREDIT", credit: random.below(SCAN_CREDIT_MAX) };
  if (dice < 950) return { kind: "CANCEL" };
  if (dice < 970) return { kind: "STATS" };
  if (dice < 972) return { kind: "FLUSH" };
  if (dice < 973) return { kind: "COMPACT", range: { gte: key(), lte: key() } };
  return { kind: "PING" };
}

function randomWrite(random: Random): Request {
  const key = () => randomKey(random);
  const conditions = random.chance(30) ? randomConditions(random) : undefined;
  const expiry = random.chance(30) ? randomExpiry(random) : undefined;
  const durability = "none" as const;
  const dice = random.below(100);
  if (dice < 40) {
    const value = randomValue(random);
    return { kind: "PUT", key: key(), value, durability, conditions, expiry };
  }
  if (dice < 55) return { kind: "DELETE", key: key(), durability, conditions };
  if (dice < 75) {
    const operations = Array.from({ length: random.below(BATCH_MAX) }, () =>
      randomOperation(random),
    );
    return { kind: "BATCH", operations, durability, conditions };
  }
  if (dice < 76) return { kind: "DELETE_RANGE", durability, range: randomRange(random) };
  if (dice < 85) return { kind: "MERGE", durability, key: key(), ...randomMerge(random) };
  if (dice < 95) {
    const delta = BigInt.asIntN(64, BigInt(random.next()) * BigInt(random.next()));
    return { kind: "INCREMENT", durability, delta, key: key() };
  }
  return { kind: "EXPIRE", durability, expiry, key: key() };
}

function randomOperation(random: Random): BytesOperation {
  const key = randomKey(random);
  const dice = random.below(10);
  if (random.chance(2)) return { type: "deleteRange", ...randomRange(random) };
  if (dice < 2) return { type: "delete", key };
  if (dice < 4) return { type: "merge", key, ...randomMerge(random) };
  const expiry = random.chance(30) ? randomExpiry(random) : {};
  return { type: "put", key, value: randomValue(random), ...expiry };
}

/** Narrow, so that it leaves the other rounds' keys alone for the most part. */
function randomRange(random: Random): BytesRange {
  const gte = randomKey(random);
  return random.chance(80) ? { gte, lte: gte } : { prefix: gte };
}

function randomMerge(
  random: Random,
): Pick<BytesOperation & { type: "merge" }, "operator" | "operand"> {
  const operator = random.pick(MERGE_OPERATORS);
  const isCounter = operator !== "append" && random.chance(90);
  return { operator, operand: isCounter ? encodeCounter(random.next()) : randomValue(random) };
}

function randomConditions(random: Random): BytesCondition[] {
  return Array.from({ length: 1 + random.below(CONDITIONS_MAX) }, () => {
    const key = randomKey(random);
    const dice = random.below(3);
    if (dice === 0) return { key, absent: true };
    if (dice === 1) return { key, present: true };
    return { key, sequence: random.below(SEQUENCE_MAX) };
  });
}

function randomExpiry(random: Random): Expiry {
  if (random.chance(50)) return { ttlMs: random.below(TTL_MS_MAX) };
  return { expiresAt: random.below(EXPIRES_AT_MAX) };
}

function randomKey(random: Random): Uint8Array {
  return encoder.encode(PREFIX + random.below(KEYS));
}

function randomValue(random: Random): Uint8Array {
  return random.bytes(random.below(VALUE_BYTES_MAX));
}

export function helloFrame(name: string): Uint8Array {
  const versions = { versionMin: 1, versionMax: PROTOCOL_VERSION_MAX };
  return requestFrame(0, {
    kind: "HELLO",
    ...versions,
    features: 0,
    frameBytesMax: 2 ** 20,
    clientName: name,
  });
}

export function requestFrame(requestId: number, request: Request): Uint8Array {
  return frames((writer: FrameWriter) => encodeRequest(writer, requestId, request));
}

/** The frame with a few things done to it, each of which may leave it valid. */
export function mutated(frame: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(frame);
  for (let i = random.below(MUTATIONS_MAX); i >= 0; i--) bytes = mutateOnce(bytes, random);
  return bytes;
}

function mutateOnce(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  switch (random.below(12)) {
    case 0:
      return changeByte(bytes, at, (byte) => byte ^ (1 << random.below(8)));
    case 1:
      return changeByte(bytes, at, () => random.next());
    case 2:
      return bytes.slice(0, at);
    case 3:
      return joined(bytes, random.bytes(random.below(40)));
    case 4:
      return writeU32At(bytes, 0, random.pick(EXTREMES));
    case 5:
      return writeU32At(bytes, 0, bytes.length - 4 + random.below(9) - 4);
    case 6:
      return changeByte(bytes, 4, () => random.next());
    case 7:
      return changeByte(bytes, 5, () => random.next());
    case 8:
      return writeU32At(bytes, 6, random.pick(EXTREMES));
    case 9:
      return writeU32At(bytes, HEADER_BYTES + random.below(bytes.length), random.pick(EXTREMES));
    case 10:
      return joined(bytes.slice(0, at), bytes.slice(random.below(bytes.length + 1)));
    default:
      return random.bytes(random.below(60));
  }
}

function changeByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const byte = bytes[at];
  if (byte !== undefined) bytes[at] = change(byte);
  return bytes;
}

function writeU32At(bytes: Uint8Array, at: number, value: number): Uint8Array {
  if (at + 4 > bytes.length) return bytes;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);
  return bytes;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
