/** A manifest that is damaged, cut or foreign: told as such, and never read as a state that it never had. */
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { manifestName } from "../../../src/fs/names.ts";
import { scanRecords } from "../../../src/log/record-scan.ts";
import { readManifest } from "../../../src/version/manifest-reader.ts";
import {
  CURRENT_PATH,
  contentOf,
  expectCorrupt,
  MANIFEST_NUMBER,
  MANIFEST_PATH,
  put,
  readOf,
} from "../../support/manifest-bytes.ts";
import {
  ChangingTree,
  MANIFEST_DIRECTORY,
  manifestDisk,
  summaryOf,
} from "../../support/manifest-fixture.ts";

const APPENDS = 4;

/** Where records start, by number: those of the snapshot, then one for each append, then perhaps the close. */
function recordStarts(bytes: Uint8Array): number[] {
  const records = scanRecords(bytes, MANIFEST_NUMBER, MANIFEST_PATH).records();
  const starts: number[] = [];
  while (records.next()) starts.push(records.start);
  return starts;
}

describe("a manifest with some appends", () => {
  let closed: Buffer;
  let open: Buffer;
  /** After the snapshot and after each append: the state, and where the records so far end. */
  const states: { state: string; end: number }[] = [];

  beforeAll(async () => {
    const fs = await manifestDisk();
    const tree = new ChangingTree(3);
    const manifest = await tree.create(fs, 2 ** 40);
    const note = async () => {
      states.push({
        state: summaryOf(tree.state),
        end: (await contentOf(fs, MANIFEST_PATH)).length,
      });
    };
    await note();
    for (let i = 0; i < APPENDS; i++) {
      await tree.append(manifest);
      await note();
    }
    open = await contentOf(fs, MANIFEST_PATH);
    await manifest.close();
    closed = await contentOf(fs, MANIFEST_PATH);
  });

  /** The state of which nothing was lost in the first `bytes`. */
  const stateAt = (bytes: number) => states.findLast(({ end }) => end <= bytes);
  const lastStart = () => states.at(-2)!.end;

  test("is read back, closed or not", async () => {
    const { state } = states.at(-1)!;
    expect(await readOf(closed)).toEqual({ state, torn: 0 });
    expect(await readOf(open)).toEqual({ state, torn: 0 });
    expect(recordStarts(closed)).toHaveLength(recordStarts(open).length + 1);
  });

  test("that was closed is CORRUPTION with any bit flipped before its last record", async () => {
    for (let bit = 0; bit < open.length * 8; bit++) {
      const damaged = Buffer.from(closed);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      const { message } = await expectCorrupt(damaged, `bit ${bit}`);
      const start = recordStarts(closed).findLast((at) => at <= bit >>> 3);
      expect(message).toContain(`${MANIFEST_PATH} at ${start}: `);
    }
  });

  test("that was closed loses nothing with its last record", async () => {
    const { state } = states.at(-1)!;
    for (let bit = open.length * 8; bit < closed.length * 8; bit++) {
      const damaged = Buffer.from(closed);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      expect(await readOf(damaged), `bit ${bit}`).toMatchObject({ state });
    }
  });

  test("that was not closed lacks the last append, if that is damaged, and says so", async () => {
    const before = states.at(-2)!.state;
    for (let bit = 0; bit < open.length * 8; bit++) {
      const damaged = Buffer.from(open);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      if (bit >>> 3 < lastStart()) await expectCorrupt(damaged, `bit ${bit}`);
      else
        expect(await readOf(damaged)).toEqual({ state: before, torn: open.length - lastStart() });
    }
  });

  test("cut to any length is the state of the records that are whole, or CORRUPTION where none is", async () => {
    for (let bytes = 0; bytes < open.length; bytes++) {
      const cut = open.subarray(0, bytes);
      const whole = stateAt(bytes);
      if (whole === undefined) {
        await expectCorrupt(cut, `${bytes} bytes`);
        continue;
      }
      const outcome = await readOf(cut);
      expect(outcome, `${bytes} bytes`).toMatchObject({ state: whole.state });
      // Zeros at the end are not told from a file that was made longer before it was written.
      const { torn } = outcome as { torn: number };
      const rest = cut.subarray(whole.end);
      expect(torn).toBe(rest.length - /\0*$/.exec(rest.toString("latin1"))![0].length);
    }
  });

  test("with zeros behind any byte is as if it ended there", async () => {
    for (let bytes = 0; bytes < open.length; bytes += 3) {
      const zeroed = Buffer.from(open).fill(0, bytes);
      // A record may end with zeros, which are as good.
      const whole = states.findLast(({ end }) => zeroed.compare(open, 0, end, 0, end) === 0);
      if (whole === undefined) await expectCorrupt(zeroed, `zeros from ${bytes}`);
      else
        expect(await readOf(zeroed), `zeros from ${bytes}`).toMatchObject({ state: whole.state });
    }
  });

  test("with zeros over any stretch before the last append is CORRUPTION", async () => {
    for (let from = 0; from < lastStart(); from += 5) {
      const zeroed = Buffer.from(open).fill(0, from, Math.min(from + 40, lastStart()));
      await expectCorrupt(zeroed, `zeros from ${from}`);
    }
  });

  test("under another number is CORRUPTION", async () => {
    const fs = await manifestDisk();
    await put(fs, join(MANIFEST_DIRECTORY, manifestName(2)), open);
    await put(fs, CURRENT_PATH, Buffer.from(`${manifestName(2)}\n`));
    await expect(readManifest(fs, MANIFEST_DIRECTORY)).rejects.toMatchObject({
      code: "CORRUPTION",
    });
  });
});
