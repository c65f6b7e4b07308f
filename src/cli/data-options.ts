/** What all commands on entries share: their options, and how the answers that they have in common are printed. */
import { Command, Option } from "commander";
import { DURABILITIES, type Durability, type KeyedStore } from "../store.ts";
import {
  jsonOption,
  print,
  printJson,
  type RemoteOptions,
  urlOption,
  withClient,
} from "./remote.ts";
import { type Encoding, encodingOption } from "./text.ts";

export interface DataOptions extends RemoteOptions {
  readonly encoding: Encoding;
  readonly keyspace?: string;
  readonly durability?: Durability;
}

export function dataCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(urlOption())
    .addOption(encodingOption())
    .option("--keyspace <name>", "of this keyspace, which must be there")
    .addOption(jsonOption());
}

export function writeCommand(name: string, description: string): Command {
  return dataCommand(name, description).addOption(
    new Option("--durability <mode>", "when to answer").choices(DURABILITIES),
  );
}

/** Runs `act` on the server's store, or on the keyspace of it that is asked for. */
export function withStore<Result>(
  options: DataOptions,
  act: (store: KeyedStore) => Promise<Result>,
): Promise<Result> {
  const { keyspace } = options;
  return withClient(options, async (client) =>
    act(keyspace === undefined ? client : await client.keyspace(keyspace, { create: false })),
  );
}

export function writeOptions({ durability }: DataOptions): { durability?: Durability } {
  return durability === undefined ? {} : { durability };
}

export function printCommit(version: number, options: DataOptions): void {
  if (options.json) printJson({ version });
  else print(`version ${version}`);
}

/** `json` is what a program is told. */
export function printAbsent(key: string, options: DataOptions, json: object): void {
  if (options.json) printJson(json);
  else process.stderr.write(`${key} is absent\n`);
  process.exitCode = 1;
}
