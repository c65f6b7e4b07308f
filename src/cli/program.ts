/** All commands together, and how their failures are told. */
import { Command, CommanderError } from "commander";
import { VarveError } from "../errors.ts";
import { adminCommands } from "./admin-commands.ts";
import { batchCommand } from "./batch-command.ts";
import { ingestCommand } from "./ingest-command.ts";
import { keyspaceCommands } from "./keyspace-commands.ts";
import { repairCommand, verifyCommand } from "./offline-commands.ts";
import { readCommands } from "./read-commands.ts";
import { serveCommand } from "./serve-command.ts";
import { snapshotCommands } from "./snapshot-commands.ts";
import { packageVersion } from "./version.ts";
import { watchCommand } from "./watch-command.ts";
import { writeCommands } from "./write-commands.ts";

/** Runs the command that `words` say; failures are printed and set the exit code. */
export async function run(words: readonly string[]): Promise<void> {
  const program = new Command("varve")
    .description("Varve: a crash-safe, ordered key/value database")
    .version(packageVersion())
    .addCommand(serveCommand());
  for (const command of [...readCommands(), ...writeCommands()]) program.addCommand(command);
  program.addCommand(batchCommand());
  program.addCommand(ingestCommand());
  program.addCommand(watchCommand());
  for (const command of keyspaceCommands()) program.addCommand(command);
  for (const command of snapshotCommands()) program.addCommand(command);
  program.addCommand(adminCommands());
  program.addCommand(verifyCommand());
  program.addCommand(repairCommand());
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) throw error;
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  }
}

function describe(error: unknown): string {
  if (error instanceof VarveError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
