/**
 * A program given by `--eval` handed its options on to the workers, which then did not start. And idle workers
 * kept a program alive that had not closed its database.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

test.each([
  ["that closes it", "await db.close();"],
  ["that does not", ""],
])(
  "an evaluated program flushes and compacts a database, and ends, one %s",
  async (_which, end) => {
    const directory = await mkdtemp(join(tmpdir(), "varve-eval-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const database = join(import.meta.dirname, "../../src/engine/database.ts");
    const program = `
    import { Database } from ${JSON.stringify(database)};
    const db = await Database.open(${JSON.stringify(directory)});
    await db.put("key", "value");
    await db.compact();
    console.log(db.stats().levels.reduce((files, level) => files + level.files, 0));
    ${end}
  `;
    const args = ["--input-type=module-typescript", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe("1\n");
  },
);
