/** `varve get | put | del | scan | batch`: one entry, a range, or many operations at once. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import Table from "cli-table3";
import { Command, InvalidArgumentError, Option } from "commander";
import { DURABILITIES, type Durability, type Operation } from "../store.ts";
import {
  jsonOption,
  print,
  printJson,
  type RemoteOptions,
  urlOption,
  withClient,
} from "./remote.ts";
import { type Encoding, encodingOption, toBytes, toText } from "./text.ts";

interface DataOptions extends RemoteOptions {
  readonly encoding: Encoding;
  readonly durability?: Durability;
}

interface ScanCommandOptions extends DataOptions {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
  readonly reverse?: boolean;
  readonly limit: number;
}

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;
const SCAN_LIMIT = 100;

function dataCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(urlOption())
    .addOption(encodingOption())
    .addOption(jsonOption());
}

function writeCommand(name: string, description: string): Command {
  return dataCommand(name, description).addOption(
    new Option("--durability <mode>", "when to answer").choices(DURABILITIES),
  );
}

function writeOptions({ durability }: DataOptions): { durability?: Durability } {
  return durability === undefined ? {} : { durability };
}

export function dataCommands(): Command[] {
  return [
    dataCommand("get", "print a value; exits with 1 where the key is absent")
      .argument("<key>")
      .action(get),
    writeCommand("put", "store a value; - reads it from standard input")
      .argument("<key>")
      .argument("<value>")
      .action(put),
    writeCommand("del", "delete a key").argument("<key>").action(remove),
    dataCommand("scan", "print entries in key order")
      .option("--gte <key>", "from this key on")
      .option("--gt <key>", "after this key")
      .option("--lt <key>", "before this key")
      .option("--lte <key>", "up to this key")
      .option("--prefix <key>", "keys that start with this")
      .option("--reverse", "from the last to the first")
      .option("--limit <count>", "at most so many; 0 for all", parseLimit, SCAN_LIMIT)
      .action(scan),
    writeCommand(
      "batch",
      'apply all operations or none, one JSON object a line: {"type":"put","key":"a","value":"1"} or {"type":"delete","key":"b"}',
    )
      .argument("<file>", "a file, or - for standard input")
      .action(batch),
  ];
}

function parseLimit(limit: string): number {
  const number = Number(limit);
  if (!Number.isInteger(number) || number < 0) {
    throw new InvalidArgumentError("a limit is a whole number from 0");
  }
  return number;
}

async function get(key: string, options: DataOptions): Promise<void> {
  const value = await withClient(options, (client) => client.get(toBytes(key, options.encoding)));
  const printed = value === undefined ? null : toText(value, options.encoding);
  if (options.json) printJson({ key, value: printed });
  else if (printed !== null) print(printed);
  else process.stderr.write(`${key} is absent\n`);
  if (printed === null) process.exitCode = 1;
}

async function put(key: string, value: string, options: DataOptions): Promise<void> {
  const { encoding } = options;
  const bytes = toBytes(value === "-" ? await text(process.stdin) : value, encoding);
  const commit = await withClient(options, (client) =>
    client.put(toBytes(key, encoding), bytes, writeOptions(options)),
  );
  printCommit(commit.version, options);
}

async function remove(key: string, options: DataOptions): Promise<void> {
  const commit = await withClient(options, (client) =>
    client.delete(toBytes(key, options.encoding), writeOptions(options)),
  );
  printCommit(commit.version, options);
}

function printCommit(version: number, options: DataOptions): void {
  if (options.json) printJson({ version });
  else print(`version ${version}`);
}

async function scan(options: ScanCommandOptions): Promise<void> {
  const { encoding } = options;
  const bounds = Object.fromEntries(
    BOUNDS.flatMap((name) => {
      const bound = options[name];
      return bound === undefined ? [] : [[name, toBytes(bound, encoding)]];
    }),
  );
  const scanOptions = {
    ...bounds,
    reverse: options.reverse === true,
    ...(options.limit === 0 ? {} : { limit: options.limit }),
  };
  await withClient(options, async (client) => {
    const table = new Table({ head: ["key", "value"], style: { head: [], border: [] } });
    let entries = 0;
    for await (const [key, value] of client.scan(scanOptions)) {
      entries++;
      const [shownKey, shownValue] = [toText(key, encoding), toText(value, encoding)];
      if (options.json) printJson({ key: shownKey, value: shownValue });
      else table.push([shownKey, shownValue]);
    }
    if (options.json) return;
    if (entries > 0) print(table.toString());
    const more = entries === options.limit ? "; there may be more, see --limit" : "";
    print(`${entries} ${entries === 1 ? "entry" : "entries"}${more}`);
  });
}

async function batch(file: string, options: DataOptions): Promise<void> {
  const lines = (file === "-" ? await text(process.stdin) : await readFile(file, "utf8")).split(
    "\n",
  );
  const operations = lines.flatMap((line, i) =>
    line.trim() === "" ? [] : [parseOperation(line, i + 1, options.encoding)],
  );
  const commit = await withClient(options, (client) =>
    client.batch(operations, writeOptions(options)),
  );
  if (options.json) printJson({ version: commit.version, operations: operations.length });
  else print(`${operations.length} operations applied, version ${commit.version}`);
}

function parseOperation(line: string, number: number, encoding: Encoding): Operation {
  let parsed: { type?: unknown; key?: unknown; value?: unknown } | null;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is not JSON`);
  }
  const { type, key, value } = parsed ?? {};
  if (typeof key === "string" && type === "delete") {
    return { type, key: toBytes(key, encoding) };
  }
  if (typeof key === "string" && type === "put" && typeof value === "string") {
    return { type, key: toBytes(key, encoding), value: toBytes(value, encoding) };
  }
  throw new Error(`line ${number} is neither a put with key and value nor a delete with a key`);
}
