/**
 * When a write is answered, a byte in the body of every write:
 *
 *   durability u8     0 the server's default, 1 always, 2 interval, 3 none
 */
import type { BodyReader } from "./body-reader.ts";
import { type Frame, malformed } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { DURABILITIES, type Durability } from "./store.ts";

/** `undefined` where the server's default holds. */
export type DurabilityChoice = Durability | undefined;

export function writeDurability(writer: FrameWriter, durability: DurabilityChoice): void {
  writer.u8(durability === undefined ? 0 : DURABILITIES.indexOf(durability) + 1);
}

export function readDurability(reader: BodyReader): DurabilityChoice {
  const number = reader.u8();
  if (number > DURABILITIES.length) throw reader.malformed(`durability ${number}`);
  return DURABILITIES[number - 1];
}

/** The durability of a body that opens with it, read without a reader. */
export function durabilityOf(frame: Frame): DurabilityChoice {
  if (frame.start === frame.end) throw malformed(frame, 0, "the durability byte expected");
  const number = frame.bytes[frame.start]!;
  if (number > DURABILITIES.length) throw malformed(frame, 0, `durability ${number}`);
  return number === 0 ? undefined : DURABILITIES[number - 1]!;
}
