/** Requests by chance, as bytes, and what a hostile or broken peer makes of them. */
import {
  encodeRequest,
  type FrameWriter,
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
const MUTATIONS_MAX = 3;
const EXTREMES = [0, 1, 5, 6, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff] as const;
const HEADER_BYTES = 10;

const encoder = new TextEncoder();

/** A request that a server must carry out. */
export function randomRequest(random: Random): Request {
  const key = () => encoder.encode(PREFIX + random.below(KEYS));
  const value = () => random.bytes(random.below(VALUE_BYTES_MAX));
  const keys = () => Array.from({ length: random.below(BATCH_MAX) }, key);
  const durability = "none" as const;
  const dice = random.below(1000);
  if (dice < 200) return { kind: "GET", key: key() };
  if (dice < 300) return { kind: "GET_MANY", keys: keys() };
  if (dice < 500) return { kind: "PUT", key: key(), value: value(), durability };
  if (dice < 580) return { kind: "DELETE", key: key(), durability };
  if (dice < 700) {
    const operations = keys().map((one) => ({ type: "put" as const, key: one, value: value() }));
    return { kind: "BATCH", operations, durability };
  }
  if (dice < 850) {
    const options = { prefix: encoder.encode(PREFIX), gte: key(), reverse: random.chance(50) };
    return { kind: "SCAN", credit: random.below(SCAN_CREDIT_MAX), options };
  }
  if (dice < 900) return { kind: "SCAN_CREDIT", credit: random.below(SCAN_CREDIT_MAX) };
  if (dice < 950) return { kind: "CANCEL" };
  if (dice < 970) return { kind: "STATS" };
  if (dice < 972) return { kind: "FLUSH" };
  if (dice < 973) return { kind: "COMPACT", range: { gte: key(), lte: key() } };
  return { kind: "PING" };
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
