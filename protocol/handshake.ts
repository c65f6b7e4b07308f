/**
 * The handshake. Bodies, little-endian; whatever follows the last field is ignored, so that later versions
 * can add fields that both sides of this version skip.
 *
 *   HELLO    magic "VARV" | versionMin u16 | versionMax u16 | features u32
 *            | frameBytesMax u32 | nameLength u16 | name
 *   WELCOME  magic "VARV" | version u16 | features u32
 *            | frameBytesMax u32 | keyBytesMax u32 | valueBytesMax u32 | batchBytesMax u32
 *            | batchOperationsMax u32 | requestsInFlightMax u32
 *            | nameLength u16 | name | versionLength u16 | version
 */
import { BodyReader } from "./body-reader.ts";
import { VarveError } from "./errors.ts";
import { expectNoFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import {
  CONNECTION_REQUEST_ID,
  MAGIC,
  OPCODE,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
} from "./opcodes.ts";

/** Names longer than this are cut; those of a peer are taken as they are, within the frame's limit. */
const NAME_BYTES_MAX = 255;

export interface Hello {
  readonly versionMin: number;
  readonly versionMax: number;
  /** Feature bits that the client would like to use. */
  readonly features: number;
  /** The largest frame `length` that the client takes. */
  readonly frameBytesMax: number;
  /** For the server's log; may be empty. */
  readonly clientName: string;
}

/** What the server takes; the client holds to these and so learns of a breach before anything is sent. */
export interface Limits {
  /** The largest frame `length` that the server takes. */
  readonly frameBytesMax: number;
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  readonly batchBytesMax: number;
  readonly batchOperationsMax: number;
  /** Requests unanswered at one time on one connection, open scans among them. */
  readonly requestsInFlightMax: number;
}

export interface Welcome {
  /** The protocol version that both sides use from here on. */
  readonly version: number;
  /** The feature bits of HELLO that the server has, too. */
  readonly features: number;
  readonly limits: Limits;
  readonly serverName: string;
  readonly serverVersion: string;
}

export function encodeHello(writer: FrameWriter, hello: Hello): number {
  writer.begin(OPCODE.HELLO, CONNECTION_REQUEST_ID);
  for (const byte of MAGIC) writer.u8(byte);
  writer.u16(hello.versionMin);
  writer.u16(hello.versionMax);
  writer.u32(hello.features);
  writer.u32(hello.frameBytesMax);
  writeName(writer, hello.clientName);
  return writer.end();
}

export function decodeHello(frame: Frame): Hello {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  expectMagic(reader);
  const hello: Hello = {
    versionMin: reader.u16(),
    versionMax: reader.u16(),
    features: reader.u32(),
    frameBytesMax: reader.u32(),
    clientName: readName(reader),
  };
  if (hello.versionMin > hello.versionMax) throw reader.malformed("versions in reverse");
  return hello;
}

export function encodeWelcome(writer: FrameWriter, welcome: Welcome): number {
  const { limits } = welcome;
  writer.begin(OPCODE.WELCOME, CONNECTION_REQUEST_ID);
  for (const byte of MAGIC) writer.u8(byte);
  writer.u16(welcome.version);
  writer.u32(welcome.features);
  writer.u32(limits.frameBytesMax);
  writer.u32(limits.keyBytesMax);
  writer.u32(limits.valueBytesMax);
  writer.u32(limits.batchBytesMax);
  writer.u32(limits.batchOperationsMax);
  writer.u32(limits.requestsInFlightMax);
  writeName(writer, welcome.serverName);
  writeName(writer, welcome.serverVersion);
  return writer.end();
}

export function decodeWelcome(frame: Frame): Welcome {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  expectMagic(reader);
  return {
    version: reader.u16(),
    features: reader.u32(),
    limits: {
      frameBytesMax: reader.u32(),
      keyBytesMax: reader.u32(),
      valueBytesMax: reader.u32(),
      batchBytesMax: reader.u32(),
      batchOperationsMax: reader.u32(),
      requestsInFlightMax: reader.u32(),
    },
    serverName: readName(reader),
    serverVersion: readName(reader),
  };
}

/** The highest version that both speak; throws `UNSUPPORTED_PROTOCOL` where there is none. */
export function chooseVersion(hello: Hello): number {
  const version = Math.min(hello.versionMax, PROTOCOL_VERSION_MAX);
  if (version >= Math.max(hello.versionMin, PROTOCOL_VERSION_MIN)) return version;
  throw new VarveError(
    "UNSUPPORTED_PROTOCOL",
    `the client speaks protocol versions ${hello.versionMin} to ${hello.versionMax}, ` +
      `the server ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION_MAX}`,
  );
}

function expectMagic(reader: BodyReader): void {
  for (const byte of MAGIC) {
    if (reader.u8() !== byte) throw reader.malformed('the magic "VARV" expected');
  }
}

function writeName(writer: FrameWriter, name: string): void {
  // Cutting may leave part of a character at the end, which decodes to U+FFFD: good enough for a log.
  const bytes = Buffer.from(name).subarray(0, NAME_BYTES_MAX);
  writer.u16(bytes.length);
  writer.data(bytes);
}

function readName(reader: BodyReader): string {
  return Buffer.from(reader.take(reader.u16())).toString();
}
