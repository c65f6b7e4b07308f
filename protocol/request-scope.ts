/**
 * What a read is about beside its keys: fields that a bit of the frame header's `flags` announces. They come first
 * in the body, in the order of the bits; little-endian:
 *
 *   bit 1  at         atKind u8 | atValue u64      kind 1: the handle of a snapshot, 2: a sequence
 *
 * `takeScope` strips them, so that the codecs of the requests know nothing of them. The same bits mean other things
 * in writes: see `flag-fields.ts`.
 */
import { BodyReader } from "./body-reader.ts";
import { expectFlags, type Frame } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { OPCODE } from "./opcodes.ts";

const SCOPE_FLAG = { AT: 2 } as const;
const AT_KIND = { SNAPSHOT: 1, SEQUENCE: 2 } as const;

/** The moment at which a read is made: that of an open snapshot, by its handle, or of a sequence. */
export type ReadAt = { readonly snapshot: number } | { readonly sequence: number };

/** Without `at` a read sees the present. */
export interface RequestScope {
  readonly at?: ReadAt;
}

export interface ScopedFrame {
  readonly scope: RequestScope;
  /** The frame as it would be without a scope. */
  readonly frame: Frame;
}

const NO_SCOPE: RequestScope = {};

/** Right after `begin`. */
export function writeScope(writer: FrameWriter, { at }: RequestScope): void {
  if (at === undefined) return;
  writer.flags(SCOPE_FLAG.AT);
  if ("snapshot" in at) {
    writer.u8(AT_KIND.SNAPSHOT);
    writer.u64(at.snapshot);
  } else {
    writer.u8(AT_KIND.SEQUENCE);
    writer.u64(at.sequence);
  }
}

/** Requests that have no scope are left as they are, with all their flags. */
export function takeScope(frame: Frame): ScopedFrame {
  if (frame.flags === 0 || !takesScope(frame.opcode)) return { scope: NO_SCOPE, frame };
  expectFlags(frame, SCOPE_FLAG.AT);
  const reader = new BodyReader(frame);
  const at = readAt(reader);
  const { opcode, requestId, bytes, end } = frame;
  const start = end - reader.remainingBytes;
  return { scope: { at }, frame: { opcode, flags: 0, requestId, bytes, start, end } };
}

function takesScope(opcode: number): boolean {
  switch (opcode) {
    case OPCODE.GET:
    case OPCODE.GET_MANY:
    case OPCODE.GET_ENTRY:
    case OPCODE.SCAN:
    case OPCODE.PAGE:
    case OPCODE.COUNT:
      return true;
    default:
      return false;
  }
}

function readAt(reader: BodyReader): ReadAt {
  const kind = reader.u8();
  switch (kind) {
    case AT_KIND.SNAPSHOT:
      return { snapshot: reader.u64() };
    case AT_KIND.SEQUENCE:
      return { sequence: reader.u64() };
    default:
      throw reader.malformed(`at kind ${kind}`);
  }
}
