/** Ways to hand the same bytes to a decoder: whole, byte by byte, and cut at random places. */
import { type Frame, FrameDecoder } from "varve-protocol";

/** A small generator of random numbers in [0, 1), so that a cut can be made again from its seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Cut = (bytes: Uint8Array) => Uint8Array[];

function atRandom(seed: number): Cut {
  return (bytes) => {
    const random = randomOf(seed);
    const longest = 1 + Math.floor(random() * bytes.length);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + Math.floor(random() * (longest + 1)));
      chunks.push(bytes.subarray(at, end));
      at = end;
    }
    return chunks;
  };
}

export const CUTS: readonly (readonly [name: string, cut: Cut])[] = [
  ["whole", (bytes) => [bytes]],
  ["byte by byte", (bytes) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))],
  ...[1, 2, 3, 4, 5].map((seed) => [`cut at random, seed ${seed}`, atRandom(seed)] as const),
];

/** What `read` makes of each frame in the chunks. Chunks are copied, as a socket's are fresh. */
export function decodeAll<Message>(
  chunks: readonly Uint8Array[],
  read: (frame: Frame) => Message,
  frameBytesMax = 2 ** 26,
): Message[] {
  const decoder = new FrameDecoder(frameBytesMax);
  const messages: Message[] = [];
  for (const chunk of chunks) {
    decoder.push(new Uint8Array(chunk), (frame) => messages.push(read(frame)));
  }
  return messages;
}
