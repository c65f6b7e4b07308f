/**
 * A process ended, with exit code 13, while it waited for its database: for `close`, when a worker had just
 * finished a task and so was let go of, or for a write that was being delayed.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished, test } from "vitest";

const DATABASE = join(import.meta.dirname, "../../src/engine/database.ts");

/** Writes until writes are delayed, then closes in the middle of flushes and compactions, at many moments. */
const program = (directory: string) => `
  import { Database } from ${JSON.stringify(DATABASE)};
  const value = new Uint8Array(1000);
  for (let round = 0; round < 25; round++) {
    const db = await Database.open(${JSON.stringify(directory)} + round, {
      memoryBudget: 2 ** 20,
      durability: "none",
      freeSpaceReserve: 0,
    });
    for (let i = 0; i < 30 + round * 3; i++) {
      await db.batch(
        Array.from({ length: 20 }, (_, j) => ({ type: "put", key: i + "-" + j, value })),
      );
    }
    db.flush().catch(() => {});
    for (let i = 0; i < round; i++) await new Promise(setImmediate);
    await db.close();
  }
`;

test("a process waits for its database to close", async () => {
  const directory = await mkdtemp(join(tmpdir(), "varve-closing-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const args = ["--input-type=module-typescript", "--eval", program(join(directory, "db"))];
  // Rejects for any exit code but 0.
  await promisify(execFile)(process.execPath, args);
});
