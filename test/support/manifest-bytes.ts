/** A manifest given byte by byte, and what reading it says. */
import { join } from "node:path";
import { expect } from "vitest";
import { VarveError } from "../../src/errors.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import { CURRENT_NAME, manifestName } from "../../src/fs/names.ts";
import { encodeRecordHeader, RECORD_HEADER_BYTES } from "../../src/log/record.ts";
import { readManifest } from "../../src/version/manifest-reader.ts";
import { MANIFEST_DIRECTORY, manifestDisk, summaryOf } from "./manifest-fixture.ts";

export const MANIFEST_NUMBER = 1;
export const MANIFEST_PATH = join(MANIFEST_DIRECTORY, manifestName(MANIFEST_NUMBER));
export const CURRENT_PATH = join(MANIFEST_DIRECTORY, CURRENT_NAME);

export async function put(fs: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  if (await fs.exists(path)) await fs.remove(path);
  const file = await fs.open(path, "create");
  await file.write(bytes, 0);
  await file.close();
}

export async function contentOf(fs: FileSystem, path: string): Promise<Buffer> {
  const file = await fs.open(path, "read");
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

/** What is read of a directory with this manifest: its state and torn bytes, or the error. */
export async function readOf(
  manifest: Uint8Array,
): Promise<{ state: string; torn: number } | VarveError> {
  const fs = await manifestDisk();
  await put(fs, MANIFEST_PATH, manifest);
  await put(fs, CURRENT_PATH, Buffer.from(`${manifestName(MANIFEST_NUMBER)}\n`));
  try {
    const content = await readManifest(fs, MANIFEST_DIRECTORY);
    if (content === undefined) throw new Error("there is a CURRENT");
    return { state: summaryOf(content), torn: content.tornBytes };
  } catch (error) {
    if (!(error instanceof VarveError)) throw error;
    expect(fs.openFiles).toBe(0);
    return error;
  }
}

export async function expectCorrupt(manifest: Uint8Array, what: string): Promise<VarveError> {
  const outcome = await readOf(manifest);
  expect(outcome, what).toBeInstanceOf(VarveError);
  const { code, message } = outcome as VarveError;
  expect(code, what).toBe("CORRUPTION");
  expect(message, what).toMatch(new RegExp(`^${MANIFEST_PATH} at \\d+: `));
  return outcome as VarveError;
}

/** A manifest of these records, each with a good checksum. */
export function manifestOf(
  records: readonly (readonly [kind: number, payload: Uint8Array])[],
  number = MANIFEST_NUMBER,
): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const [kind, payload] of records) {
    const record = Buffer.concat([Buffer.alloc(RECORD_HEADER_BYTES), payload]);
    encodeRecordHeader(record, 0, payload.length, kind, at, number);
    parts.push(record);
    at += record.length;
  }
  return Buffer.concat(parts);
}
