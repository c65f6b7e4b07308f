import { encodeValue, type Frame, FrameDecoder, FrameWriter, VarveError } from "varve-protocol";
import { expect, test } from "vitest";
import { CUTS, decodeAll } from "./feed.ts";

function frameOf(requestId: number, value: Uint8Array): Uint8Array {
  const writer = new FrameWriter();
  encodeValue(writer, requestId, value);
  return writer.take();
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof VarveError ? error.code : String(error);
  }
}

test("a frame that lies whole in a chunk is not copied", () => {
  const chunk = Buffer.concat([frameOf(1, new Uint8Array(5)), frameOf(2, new Uint8Array(7))]);
  const seen: unknown[] = [];
  new FrameDecoder(1000).push(chunk, ({ bytes, start, end, requestId }) =>
    seen.push([requestId, bytes === chunk, start, end]),
  );
  expect(seen).toEqual([
    [1, true, 10, 15],
    [2, true, 25, 32],
  ]);
});

test.each(CUTS)(
  "a frame of exactly frameBytesMax passes, one more byte is refused (%s)",
  (_, cut) => {
    const frame = frameOf(1, new Uint8Array(94));
    expect(decodeAll(cut(frame), (got) => got.end - got.start, 100)).toEqual([94]);
    expect(codeOf(() => decodeAll(cut(frame), () => 0, 99))).toBe("FRAME_TOO_LARGE");
  },
);

test("a frame that is too large is refused by its length alone", () => {
  const decoder = new FrameDecoder(100);
  expect(codeOf(() => decoder.push(new Uint8Array([0xff, 0xff, 0xff, 0xff]), () => {}))).toBe(
    "FRAME_TOO_LARGE",
  );
});

test.each(CUTS)("a length below 6 is refused (%s)", (_, cut) => {
  for (let length = 0; length < 6; length++) {
    const bytes = new Uint8Array(4 + length);
    bytes[0] = length;
    expect(codeOf(() => decodeAll(cut(bytes), () => 0))).toBe("PROTOCOL_ERROR");
  }
});

test.each(CUTS)("frames before a bad one are handed out, and nothing after it (%s)", (_, cut) => {
  const bytes = Buffer.concat([
    frameOf(1, new Uint8Array(3)),
    new Uint8Array(4),
    frameOf(2, new Uint8Array(3)),
  ]);
  const decoder = new FrameDecoder(1000);
  const seen: number[] = [];
  const onFrame = (frame: Frame) => seen.push(frame.requestId);
  let failures = 0;
  for (const chunk of cut(bytes)) {
    if (codeOf(() => decoder.push(chunk, onFrame)) !== undefined) failures++;
  }
  expect(failures).toBe(1);
  expect(seen).toEqual([1]);
});

test.each(CUTS)("stop ends the decoder in the middle of a chunk (%s)", (_, cut) => {
  const bytes = Buffer.concat([1, 2, 3].map((id) => frameOf(id, new Uint8Array(3))));
  const decoder = new FrameDecoder(1000);
  const seen: number[] = [];
  for (const chunk of cut(bytes)) {
    decoder.push(chunk, (frame) => {
      seen.push(frame.requestId);
      if (frame.requestId === 2) decoder.stop();
    });
  }
  expect(seen).toEqual([1, 2]);
  expect(decoder.insideFrame).toBe(false);
});

test("what onFrame throws comes out and ends the decoder", () => {
  const decoder = new FrameDecoder(1000);
  const bytes = frameOf(1, new Uint8Array(3));
  const fail = () => {
    throw new Error("mine");
  };
  expect(codeOf(() => decoder.push(bytes, fail))).toBe("Error: mine");
  const seen: number[] = [];
  decoder.push(bytes, (frame) => seen.push(frame.requestId));
  expect(seen).toEqual([]);
});

test("insideFrame tells whether the peer may end here", () => {
  const decoder = new FrameDecoder(1000);
  const bytes = frameOf(1, new Uint8Array(3));
  const states = Array.from(bytes, (_, at) => {
    decoder.push(bytes.subarray(at, at + 1), () => {});
    return decoder.insideFrame;
  });
  expect(states).toEqual([...new Array(bytes.length - 1).fill(true), false]);
});

test("views of bodies stay as they are while later chunks are decoded", () => {
  const decoder = new FrameDecoder(2 ** 20);
  const bodies: [Uint8Array, number][] = [];
  for (let id = 1; id <= 50; id++) {
    const bytes = frameOf(id, new Uint8Array(id * 40).fill(id));
    const cut = (id * 7) % bytes.length;
    const keep = (frame: Frame) =>
      bodies.push([frame.bytes.subarray(frame.start, frame.end), frame.requestId]);
    decoder.push(bytes.subarray(0, cut), keep);
    decoder.push(bytes.subarray(cut), keep);
  }
  expect(bodies).toHaveLength(50);
  for (const [body, id] of bodies) expect(body.every((byte) => byte === id)).toBe(true);
});

test("a 16 MiB frame in 64 KiB chunks is copied a few times at most", () => {
  const frame = frameOf(1, new Uint8Array(16 * 2 ** 20).fill(7));
  const decoder = new FrameDecoder(2 ** 25);
  let copied = 0;
  const set = Uint8Array.prototype.set;
  Uint8Array.prototype.set = function (source, offset) {
    copied += source.length;
    set.call(this, source, offset);
  };
  let got = 0;
  try {
    for (let at = 0; at < frame.length; at += 65_536) {
      decoder.push(frame.subarray(at, at + 65_536), ({ start, end }) => {
        got = end - start;
      });
    }
  } finally {
    Uint8Array.prototype.set = set;
  }
  expect(got).toBe(16 * 2 ** 20);
  expect(copied).toBeLessThan(3 * frame.length);
});
