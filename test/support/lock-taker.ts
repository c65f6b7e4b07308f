/**
 * A process that takes the lock at the path given, prints what came of it, and holds it until it is killed.
 * With a second argument it waits for a line on standard input first, so that many can start at once.
 */
import { VarveError } from "../../src/errors.ts";
import { DiskFileSystem } from "../../src/fs/disk-file-system.ts";

const path = process.argv[2] ?? "";
if (process.argv[3] !== undefined) {
  process.stdout.write("ready\n");
  await new Promise((resolve) => process.stdin.once("data", resolve));
}
try {
  await new DiskFileSystem().lock(path);
  process.stdout.write("held\n");
} catch (error) {
  process.stdout.write(`${error instanceof VarveError ? error.code : String(error)}\n`);
}
process.stdin.resume();
