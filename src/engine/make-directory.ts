/** The directory of a new database, with a name that is on the disk before anything in it is promised to be. */
import { dirname, join } from "node:path";
import type { FileSystem } from "../fs/file-system.ts";
import { systemCodeOf } from "../fs/io-failure.ts";
import { CURRENT_NAME } from "../fs/names.ts";

/** Makes the directory and its parents where they are missing; does nothing where there is a database. */
export async function makeDirectory(fs: FileSystem, directory: string): Promise<void> {
  if (await fs.exists(join(directory, CURRENT_NAME))) return;
  const missing: string[] = [];
  for (let path = directory; !(await fs.exists(path)); path = dirname(path)) missing.push(path);
  await fs.makeDirectory(directory);
  for (const path of missing) await fs.syncDirectory(dirname(path));
  if (missing.length === 0) await syncParent(fs, directory);
}

/** An earlier run may have made the directory and been killed before it could sync its name. */
async function syncParent(fs: FileSystem, directory: string): Promise<void> {
  try {
    await fs.syncDirectory(dirname(directory));
  } catch (error) {
    // A parent that this user cannot read is not one in which it made a directory.
    const code = systemCodeOf(error);
    if (code !== "EACCES" && code !== "EPERM") throw error;
  }
}
