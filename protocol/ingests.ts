/**
 * An ingest: a stream of pairs from the client under the server's credit. Bodies, little-endian:
 *
 *   INGEST_BEGIN   expiry                                           see `expiry.ts`; kind 0: never
 *   INGEST_DATA    count u32 | count × pair                         the request id is that of the INGEST_BEGIN
 *     pair           keyLength u32 | valueLength u32 | key | value
 *   INGEST_COMMIT  empty                                            so is this one's
 *   INGEST_READY   credit u32
 *
 * Credit is counted in bytes of INGEST_DATA bodies; a frame may overdraw it. Keys and values come out as views of the
 * given bytes.
 */
import { BodyReader } from "./body-reader.ts";
import { readExpiryOrNever, writeExpiry } from "./expiry.ts";
import { expectNoFlags, FRAME_HEADER_BYTES, type Frame, writeU32 } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";
import type { Data, Entry, Expiry } from "./store.ts";

const PAIR_HEADER_BYTES = 4 + 4;

export function encodeIngestBegin(
  writer: FrameWriter,
  requestId: number,
  expiry: Expiry = {},
): number {
  writer.begin(OPCODE.INGEST_BEGIN, requestId);
  writeExpiry(writer, expiry);
  return writer.end();
}

/** `undefined` where the entries do not expire. */
export function decodeIngestBegin(frame: Frame): Expiry | undefined {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const expiry = readExpiryOrNever(reader);
  reader.finish();
  return expiry;
}

export function encodeIngestData(
  writer: FrameWriter,
  requestId: number,
  pairs: readonly (readonly [key: Data, value: Data])[],
): number {
  writer.begin(OPCODE.INGEST_DATA, requestId);
  writer.u32(pairs.length);
  for (const [key, value] of pairs) writer.pair(key, value);
  return writer.end();
}

export function decodeIngestData(frame: Frame): Entry[] {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const count = reader.count(PAIR_HEADER_BYTES);
  const pairs: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const keyLength = reader.u32();
    const valueLength = reader.u32();
    pairs.push([reader.take(keyLength), reader.take(valueLength)]);
  }
  reader.finish();
  return pairs;
}

/** Builds INGEST_DATA frames pair by pair, in a writer in which nothing else waits. */
export class IngestDataWriter {
  readonly #writer: FrameWriter;
  readonly #requestId: number;
  #pairs = 0;

  constructor(writer: FrameWriter, requestId: number) {
    this.#writer = writer;
    this.#requestId = requestId;
  }

  get isEmpty(): boolean {
    return this.#pairs === 0;
  }

  /** Of the frame so far. */
  get bytes(): number {
    return this.#writer.pendingBytes;
  }

  add(key: Data, value: Data): void {
    if (this.#pairs++ === 0) {
      this.#writer.begin(OPCODE.INGEST_DATA, this.#requestId);
      this.#writer.u32(0);
    }
    this.#writer.pair(key, value);
  }

  /** The frame, whose body has `bodyBytes`; then begins another. */
  finish(): { readonly frame: Uint8Array; readonly bodyBytes: number } {
    this.#writer.end();
    writeU32(this.#writer.peek(), FRAME_HEADER_BYTES, this.#pairs);
    this.#pairs = 0;
    const frame = this.#writer.take();
    return { frame, bodyBytes: frame.length - FRAME_HEADER_BYTES };
  }
}

export function encodeIngestReady(writer: FrameWriter, requestId: number, credit: number): number {
  writer.begin(OPCODE.INGEST_READY, requestId);
  writer.u32(credit);
  return writer.end();
}

/** The bytes of credit granted on top of what is left. */
export function decodeIngestReady(frame: Frame): number {
  expectNoFlags(frame);
  const reader = new BodyReader(frame);
  const credit = reader.u32();
  reader.finish();
  return credit;
}
