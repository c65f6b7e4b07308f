/**
 * A peer that says what no client would: mutated frames, in pieces, until the server has had enough of it.
 * Whatever it says, all that it hears must be well-formed answers.
 */
import { decodeAnswer, FrameDecoder } from "varve-protocol";
import { Random } from "../../test/support/random.ts";
import { TortureFailure } from "../ledger.ts";
import { helloFrame, mutated, randomRequest, requestFrame } from "./frames.ts";
import { connectPeer, ended } from "./peer.ts";

const FRAMES_MAX = 60;
const BURST_MAX = 4;
const PEERS_AT_ONCE = 12;
const FRAME_BYTES_MAX = 2 ** 20;

/** So many mutated frames from seed on, by some peers at a time; returns how many peers it took. */
export async function sendFuzz(port: number, seed: number, frames: number): Promise<number> {
  let left = frames;
  let peers = 0;
  const worker = async () => {
    while (left > 0) left -= await hostilePeer(port, new Random(seed + peers++));
  };
  await Promise.all(Array.from({ length: PEERS_AT_ONCE }, worker));
  return peers;
}

/** Resolves, with the number of mutated frames that it sent, when the connection is gone. */
async function hostilePeer(port: number, random: Random): Promise<number> {
  const socket = await connectPeer(port);
  const gone = ended(socket);
  const decoder = new FrameDecoder(FRAME_BYTES_MAX);
  const malformed: unknown[] = [];
  socket.on("data", (chunk) => {
    try {
      decoder.push(chunk, decodeAnswer);
    } catch (error) {
      malformed.push(error);
    }
  });
  const hello = helloFrame("fuzz");
  socket.write(random.chance(5) ? mutated(hello, random) : hello);
  let [sent, fuzzed] = [0, 0];
  while (sent < FRAMES_MAX && socket.writable && !socket.readableEnded) {
    for (let i = random.below(BURST_MAX); i >= 0; i--) {
      const id = random.chance(90) ? 1 + sent : 1 + random.below(4);
      const frame = requestFrame(id, randomRequest(random));
      const isFuzzed = random.chance(90);
      send(socket, isFuzzed ? mutated(frame, random) : frame, random);
      sent++;
      if (isFuzzed) fuzzed++;
    }
    await new Promise(setImmediate);
  }
  // What it has said is answered before the connection ends, unless it does not wait for that.
  if (random.chance(70)) socket.end();
  else if (random.chance(50)) socket.destroy();
  else socket.resetAndDestroy();
  await gone;
  if (malformed.length > 0) {
    throw new TortureFailure(`an answer is malformed: ${String(malformed[0])}`, []);
  }
  return fuzzed;
}

/** Whole, or in two pieces that may arrive apart. */
function send(
  socket: { write(bytes: Uint8Array): unknown },
  frame: Uint8Array,
  random: Random,
): void {
  const cut = random.chance(30) ? random.below(frame.length + 1) : 0;
  if (cut > 0) socket.write(frame.subarray(0, cut));
  if (cut < frame.length) socket.write(frame.subarray(cut));
}
