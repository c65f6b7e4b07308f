/** A directory for one run, gone when the run has ended, and also where it has failed or been interrupted. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
}

/** `prefix` is what its name begins with. */
export async function temporaryDirectory(prefix: string): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  // A side that was killed a moment ago may still make a file: then it is tried again.
  const removeAtExit = () => rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  process.once("exit", removeAtExit);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true });
      process.off("exit", removeAtExit);
    },
  };
}
