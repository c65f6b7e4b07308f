import { expect, test } from "vitest";
import { KIND } from "../../../src/key.ts";
import { CommitGroupReader, CommitGroupWriter } from "../../../src/log/commit-group.ts";
import { RECORD_HEADER_BYTES } from "../../../src/log/record.ts";
import { Random, seeds } from "../../support/random.ts";

interface Written {
  readonly sequence: number;
  readonly kind: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lastOfBatch: boolean;
}

function writeRandomGroup(
  writer: CommitGroupWriter,
  random: Random,
  firstSequence: number,
): Written[] {
  const written: Written[] = [];
  writer.begin(firstSequence, 1_700_000_000_000);
  for (let batch = 1 + random.below(5); batch > 0; batch--) {
    const count = 1 + random.below(4);
    for (let i = 0; i < count; i++) {
      const kind = random.chance(30) ? KIND.DELETE : KIND.PUT;
      const key = random.bytes(1 + random.below(20));
      const value = random.bytes(
        kind === KIND.PUT ? random.below(random.chance(5) ? 90_000 : 40) : 0,
      );
      writer.reserve(1, key.length + value.length);
      writer.add(kind, key, value);
      const sequence = firstSequence + written.length;
      written.push({ sequence, kind, key, value, lastOfBatch: i === count - 1 });
    }
    writer.endBatch();
  }
  return written;
}

function readGroup(bytes: Uint8Array, start: number, end: number): Written[] {
  const reader = new CommitGroupReader(bytes, start, end, () => "test.log at 0");
  const read: Written[] = [];
  while (reader.next()) {
    read.push({
      sequence: reader.sequence,
      kind: reader.kind,
      key: new Uint8Array(reader.bytes.subarray(reader.keyStart, reader.keyEnd)),
      value: new Uint8Array(reader.bytes.subarray(reader.valueStart, reader.valueEnd)),
      lastOfBatch: reader.lastOfBatch,
    });
  }
  return read;
}

test.each(seeds(30))("reads back what was written, group after group (seed %i)", (seed) => {
  const random = new Random(seed);
  const writer = new CommitGroupWriter();
  let sequence = random.chance(50) ? 1 : 2 ** 40 + random.below(1000);
  for (let group = 0; group < 5; group++) {
    const written = writeRandomGroup(writer, random, sequence);
    const end = RECORD_HEADER_BYTES + writer.finish();
    expect(writer.lastSequence).toBe(sequence + written.length - 1);
    expect(readGroup(writer.buffer, RECORD_HEADER_BYTES, end)).toEqual(written);
    sequence = writer.lastSequence + 1;
  }
});

test("a group that is cut short, or longer than it says, is CORRUPTION and names the place", () => {
  const writer = new CommitGroupWriter();
  writeRandomGroup(writer, new Random(7), 5);
  const end = RECORD_HEADER_BYTES + writer.finish();
  const payload = writer.buffer.slice(RECORD_HEADER_BYTES, end);
  for (let length = 0; length < payload.length; length++) {
    expect(() => readGroup(payload, 0, length)).toThrow(/test\.log at 0: not a commit group/);
  }
  const longer = new Uint8Array(payload.length + 1);
  longer.set(payload);
  expect(() => readGroup(longer, 0, longer.length)).toThrow(/not a commit group/);
});

test("random bytes are never anything but a group or CORRUPTION", () => {
  const random = new Random(11);
  for (let i = 0; i < 2000; i++) {
    const bytes = random.bytes(random.below(80));
    try {
      readGroup(bytes, 0, bytes.length);
    } catch (error) {
      expect(error).toMatchObject({ code: "CORRUPTION" });
    }
  }
});
