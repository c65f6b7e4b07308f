/** The command line as a user has it: a process for each command. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const CLI = join(import.meta.dirname, "../../../src/cli/varve.ts");

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `varve` with these words against the server at `url`. */
export async function runVarve(
  url: string,
  words: readonly string[],
  stdin: string,
): Promise<Outcome> {
  const child = spawn(process.execPath, [CLI, ...words], {
    env: { ...process.env, VARVE_URL: url },
  });
  const [stdout, stderr, exit] = [text(child.stdout), text(child.stderr), once(child, "exit")];
  child.stdin.end(stdin);
  const [code] = await exit;
  return { code: code as number, stdout: await stdout, stderr: await stderr };
}
