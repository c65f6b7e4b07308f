/** `varve snapshots | kill-snapshot`: the snapshots that clients hold at a server, and the end of one. */
import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";
import {
  jsonOption,
  print,
  printJson,
  type RemoteOptions,
  urlOption,
  withClient,
} from "./remote.ts";

const PLAIN = { head: [], border: [] };

export function snapshotCommands(): Command[] {
  return [
    new Command("snapshots")
      .description("list the snapshots that clients hold open")
      .addOption(urlOption())
      .addOption(jsonOption())
      .action(snapshots),
    new Command("kill-snapshot")
      .description("end a snapshot that a client holds; exits with 1 where there is none")
      .argument("<id>", "as `varve snapshots` tells it", parseId)
      .addOption(urlOption())
      .addOption(jsonOption())
      .action(killSnapshot),
  ];
}

function parseId(id: string): number {
  const number = Number(id);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new InvalidArgumentError("an id is a whole number from 1");
  }
  return number;
}

async function snapshots(options: RemoteOptions): Promise<void> {
  const open = await withClient(options, (client) => client.snapshots());
  if (options.json) return printJson(open);
  const table = new Table({
    head: ["id", "sequence", "client", "opened", "lease left"],
    style: PLAIN,
  });
  for (const { id, sequence, peer, openedMs, leaseLeftMs } of open) {
    const opened = new Date(openedMs).toISOString();
    table.push([id, sequence, peer, opened, `${Math.ceil(leaseLeftMs / 1000)} s`]);
  }
  if (open.length > 0) print(table.toString());
  print(`${open.length} ${open.length === 1 ? "snapshot" : "snapshots"}`);
}

async function killSnapshot(id: number, options: RemoteOptions): Promise<void> {
  const killed = await withClient(options, (client) => client.killSnapshot(id));
  if (options.json) printJson({ id, killed });
  else if (killed) print(`ended snapshot ${id}`);
  else process.stderr.write(`there is no snapshot ${id}\n`);
  if (!killed) process.exitCode = 1;
}
