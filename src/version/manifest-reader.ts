/** Reads the manifest that `CURRENT` names; see `manifest.ts` for the layout. */
import { join } from "node:path";
import { unpack } from "msgpackr";
import { VarveError } from "../errors.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { CURRENT_NAME, parseFileName } from "../fs/names.ts";
import type { RecordCursor } from "../log/record.ts";
import { scanRecords } from "../log/record-scan.ts";
import { decodeEdit, type VersionEdit } from "./edit.ts";
import { MANIFEST_FORMAT, MANIFEST_RECORD, type ManifestState } from "./manifest.ts";
import { Version } from "./version.ts";

export interface ManifestContent extends ManifestState {
  readonly manifestNumber: number;
  /** Of the manifest, up to `MANIFEST_FORMAT`. */
  readonly format: number;
  /** No file that the manifest knew of has this number or a larger one. */
  readonly nextNumber: number;
  /** Bytes of a last edit that was never acknowledged, and is ignored. */
  readonly tornBytes: number;
}

/** `undefined` where there is no `CURRENT`: what that means depends on what else is in the directory. */
export async function readManifest(
  fs: FileSystem,
  directory: string,
): Promise<ManifestContent | undefined> {
  const currentPath = join(directory, CURRENT_NAME);
  if (!(await fs.exists(currentPath))) return undefined;
  const name = new TextDecoder().decode(await readWhole(fs, currentPath));
  const parsed = name.endsWith("\n") ? parseFileName(name.slice(0, -1)) : undefined;
  if (parsed?.kind !== "manifest") {
    throw new VarveError("CORRUPTION", `${currentPath} at 0: it does not name a manifest`);
  }
  const path = join(directory, name.slice(0, -1));
  if (!(await fs.exists(path))) {
    throw new VarveError("CORRUPTION", `${path} is missing, though ${currentPath} names it`);
  }
  return replay(await readWhole(fs, path), parsed.number, path);
}

function replay(bytes: Uint8Array, number: number, path: string): ManifestContent {
  const scan = scanRecords(bytes, number, path);
  const records = scan.records();
  const format = readFormat(records, path);
  let version = Version.EMPTY;
  let isWhole = false;
  const numbers = { logFloor: 0, nextNumber: number + 1, lastSequence: 0, ingestedTo: 0 };
  while (records.next()) {
    const where = `${path} at ${records.start}`;
    switch (records.kind) {
      case MANIFEST_RECORD.EDIT: {
        const edit = decodeEdit(bytes.subarray(records.payloadStart, records.end), where);
        version = applyAt(version, edit, where);
        numbers.logFloor = edit.logFloor ?? numbers.logFloor;
        numbers.nextNumber = Math.max(edit.nextNumber ?? 0, numbers.nextNumber);
        numbers.lastSequence = edit.lastSequence ?? numbers.lastSequence;
        numbers.ingestedTo = edit.ingestedTo ?? numbers.ingestedTo;
        break;
      }
      case MANIFEST_RECORD.SNAPSHOT_END:
        isWhole = true;
        break;
      case MANIFEST_RECORD.CLOSE:
        break;
      default:
        throw new VarveError("CORRUPTION", `${where}: unknown record kind ${records.kind}`);
    }
  }
  if (!isWhole) {
    const message = `${path} at ${scan.end}: the manifest ends before its snapshot does`;
    throw new VarveError("CORRUPTION", message);
  }
  return { ...numbers, version, format, manifestNumber: number, tornBytes: scan.tornBytes };
}

function applyAt(version: Version, edit: VersionEdit, where: string): Version {
  try {
    return version.apply(edit);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VarveError("CORRUPTION", `${where}: ${reason}`, { cause });
  }
}

function readFormat(records: RecordCursor, path: string): number {
  if (!records.next() || records.kind !== MANIFEST_RECORD.HEADER) {
    throw new VarveError("CORRUPTION", `${path} at 0: the header record is damaged`);
  }
  let header: unknown;
  try {
    header = unpack(records.bytes.subarray(records.payloadStart, records.end));
  } catch (cause) {
    throw new VarveError("CORRUPTION", `${path} at 0: the header is not msgpack`, { cause });
  }
  const format = (header as { version?: unknown } | null)?.version;
  if (typeof format !== "number" || format < 1) {
    throw new VarveError("CORRUPTION", `${path} at 0: the header names no format version`);
  }
  if (format > MANIFEST_FORMAT) {
    const message = `${path} has format ${format}; this version of Varve reads up to ${MANIFEST_FORMAT}. Use a newer one`;
    throw new VarveError("UNSUPPORTED_FORMAT", message);
  }
  return format;
}

async function readWhole(fs: FileSystem, path: string): Promise<Uint8Array> {
  const file = await fs.open(path, "read");
  try {
    const bytes = new Uint8Array(await file.size());
    const got = await file.read(bytes, 0);
    return bytes.subarray(0, got);
  } finally {
    await file.close();
  }
}
