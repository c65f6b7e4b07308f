/** `varve get | entry | history | scan`: one entry, what is known of it, what it was, or a range. */
import Table from "cli-table3";
import type { Command } from "commander";
import type { EntryRecord, ReadOptions } from "../store.ts";
import { type DataOptions, dataCommand, printAbsent } from "./data-options.ts";
import { parseWhole } from "./integers.ts";
import { print, printJson, withClient } from "./remote.ts";
import { toBytes, toText } from "./text.ts";

interface AtOptions extends DataOptions {
  readonly at?: number;
}

interface HistoryCommandOptions extends DataOptions {
  readonly limit: number;
}

interface ScanCommandOptions extends AtOptions {
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
const HISTORY_LIMIT = 20;
const AT_TEXT = "as it was at this sequence";
const PLAIN = { head: [], border: [] };

export function readCommands(): Command[] {
  return [
    dataCommand("get", "print a value; exits with 1 where the key is absent")
      .argument("<key>")
      .option("--at <sequence>", AT_TEXT, parseWhole)
      .action(get),
    dataCommand("entry", "print a value with what is known of its key")
      .argument("<key>")
      .option("--at <sequence>", AT_TEXT, parseWhole)
      .action(entry),
    dataCommand("history", "print the versions of a key, the newest first")
      .argument("<key>")
      .option("--limit <count>", "at most so many", parseWhole, HISTORY_LIMIT)
      .action(history),
    dataCommand("scan", "print entries in key order")
      .option("--gte <key>", "from this key on")
      .option("--gt <key>", "after this key")
      .option("--lt <key>", "before this key")
      .option("--lte <key>", "up to this key")
      .option("--prefix <key>", "keys that start with this")
      .option("--reverse", "from the last to the first")
      .option("--limit <count>", "at most so many; 0 for all", parseWhole, SCAN_LIMIT)
      .option("--at <sequence>", AT_TEXT, parseWhole)
      .action(scan),
  ];
}

function atOf({ at }: AtOptions): ReadOptions {
  return at === undefined ? {} : { at };
}

async function get(key: string, options: AtOptions): Promise<void> {
  const bytes = await withClient(options, (client) =>
    client.get(toBytes(key, options.encoding), atOf(options)),
  );
  if (bytes === undefined) return printAbsent(key, options, { key, value: null });
  const value = toText(bytes, options.encoding);
  if (options.json) printJson({ key, value });
  else print(value);
}

async function entry(key: string, options: AtOptions): Promise<void> {
  const found = await withClient(options, (client) =>
    client.getEntry(toBytes(key, options.encoding), atOf(options)),
  );
  if (found === undefined) return printAbsent(key, options, { key, value: null });
  const value = toText(found.value, options.encoding);
  if (options.json) printJson({ key, ...found, value, expiresAt: found.expiresAt ?? null });
  else printEntry(value, found);
}

function printEntry(value: string, found: EntryRecord): void {
  const { sequence, revision, createdAt, updatedAt, expiresAt } = found;
  const table = new Table({ style: PLAIN });
  table.push(
    ["value", value],
    ["sequence", sequence],
    ["revision", revision],
    ["created", timeText(createdAt)],
    ["updated", timeText(updatedAt)],
    ["expires", expiresAt === undefined ? "never" : timeText(expiresAt)],
  );
  print(table.toString());
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}

async function history(key: string, options: HistoryCommandOptions): Promise<void> {
  const { encoding, limit } = options;
  const versions = await withClient(options, (client) =>
    client.history(toBytes(key, encoding), { limit }),
  );
  const table = new Table({ head: ["sequence", "updated", "value"], style: PLAIN });
  for (const { sequence, updatedAt, expiresAt, value } of versions) {
    const shown = value === undefined ? null : toText(value, encoding);
    if (options.json) {
      const times = { updatedAt: updatedAt ?? null, expiresAt: expiresAt ?? null };
      printJson({ key, sequence, ...times, value: shown });
    } else
      table.push([
        sequence,
        updatedAt === undefined ? "" : timeText(updatedAt),
        shown ?? "(absent)",
      ]);
  }
  if (options.json) return;
  if (versions.length > 0) print(table.toString());
  print(`${versions.length} ${versions.length === 1 ? "version" : "versions"}`);
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
    ...atOf(options),
    reverse: options.reverse === true,
    ...(options.limit === 0 ? {} : { limit: options.limit }),
  };
  await withClient(options, async (client) => {
    const table = new Table({ head: ["key", "value"], style: PLAIN });
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
