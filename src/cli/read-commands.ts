/** `varve get | entry | history | scan | count`: one entry, what is known of it, what it was, or a range. */
import Table from "cli-table3";
import type { Command } from "commander";
import type { CountOptions, Entry, EntryRecord, ReadOptions } from "../store.ts";
import { type DataOptions, dataCommand, printAbsent, withStore } from "./data-options.ts";
import { parseWhole } from "./integers.ts";
import { print, printJson } from "./remote.ts";
import { toBytes, toLine, toText } from "./text.ts";

interface AtOptions extends DataOptions {
  readonly at?: number;
}

interface HistoryCommandOptions extends DataOptions {
  readonly limit: number;
}

interface RangeOptions extends AtOptions {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
}

interface ScanCommandOptions extends RangeOptions {
  readonly reverse?: boolean;
  readonly keysOnly?: boolean;
  readonly limitBytes?: number;
  readonly cursor?: string;
  readonly limit: number;
}

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;
const SCAN_LIMIT = 100;
const HISTORY_LIMIT = 20;
const FIRST_PAGE = "-";
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
    rangeCommand("scan", "print entries in key order")
      .option("--reverse", "from the last to the first")
      .option("--limit <count>", "at most so many; 0 for all", parseWhole, SCAN_LIMIT)
      .option("--limit-bytes <count>", "at most so many bytes of keys and values", parseWhole)
      .option("--keys-only", "keys without their values")
      .option("--cursor <cursor>", "a page: from where the page before ended; - for the first")
      .action(scan),
    rangeCommand("count", "print how many keys there are").action(count),
  ];
}

function rangeCommand(name: string, description: string): Command {
  return dataCommand(name, description)
    .option("--gte <key>", "from this key on")
    .option("--gt <key>", "after this key")
    .option("--lt <key>", "before this key")
    .option("--lte <key>", "up to this key")
    .option("--prefix <key>", "keys that start with this")
    .option("--at <sequence>", AT_TEXT, parseWhole);
}

function atOf({ at }: AtOptions): ReadOptions {
  return at === undefined ? {} : { at };
}

async function get(key: string, options: AtOptions): Promise<void> {
  const bytes = await withStore(options, (store) =>
    store.get(toBytes(key, options.encoding), atOf(options)),
  );
  if (bytes === undefined) return printAbsent(key, options, { key, value: null });
  const value = toText(bytes, options.encoding);
  if (options.json) printJson({ key, value });
  else print(value);
}

async function entry(key: string, options: AtOptions): Promise<void> {
  const found = await withStore(options, (store) =>
    store.getEntry(toBytes(key, options.encoding), atOf(options)),
  );
  if (found === undefined) return printAbsent(key, options, { key, value: null });
  const value = toText(found.value, options.encoding);
  if (options.json) printJson({ key, ...found, value, expiresAt: found.expiresAt ?? null });
  else printEntry(toLine(found.value, options.encoding), found);
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
  const versions = await withStore(options, (store) =>
    store.history(toBytes(key, encoding), { limit }),
  );
  const table = new Table({ head: ["sequence", "updated", "value"], style: PLAIN });
  for (const { sequence, updatedAt, expiresAt, value } of versions) {
    const textOf = options.json ? toText : toLine;
    const shown = value === undefined ? null : textOf(value, encoding);
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

function rangeOf(options: RangeOptions): CountOptions {
  const bounds = BOUNDS.flatMap((name) => {
    const bound = options[name];
    return bound === undefined ? [] : [[name, toBytes(bound, options.encoding)]];
  });
  return { ...Object.fromEntries(bounds), ...atOf(options) };
}

async function count(options: RangeOptions): Promise<void> {
  const counted = await withStore(options, (store) => store.count(rangeOf(options)));
  if (options.json) printJson({ count: counted });
  else print(String(counted));
}

async function scan(options: ScanCommandOptions): Promise<void> {
  const { encoding, limit, limitBytes, cursor } = options;
  const scanOptions = {
    ...rangeOf(options),
    reverse: options.reverse === true,
    keysOnly: options.keysOnly === true,
    ...(limit === 0 ? {} : { limit }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
  await withStore(options, async (store) => {
    const table = new Table({ head: options.keysOnly ? ["key"] : ["key", "value"], style: PLAIN });
    const textOf = options.json ? toText : toLine;
    let entries = 0;
    const show = ([key, value]: Entry) => {
      entries++;
      const shownKey = textOf(key, encoding);
      const shown = options.keysOnly ? {} : { value: textOf(value, encoding) };
      if (options.json) printJson({ key: shownKey, ...shown });
      else table.push([shownKey, ...Object.values(shown)]);
    };
    let next: string | undefined;
    if (cursor === undefined) for await (const entry of store.scan(scanOptions)) show(entry);
    else {
      const from = cursor === FIRST_PAGE ? {} : { cursor: Buffer.from(cursor, "base64url") };
      const page = await store.page({ ...scanOptions, ...from });
      page.entries.forEach(show);
      next = page.cursor && Buffer.from(page.cursor).toString("base64url");
    }
    if (options.json) {
      if (cursor !== undefined) printJson({ cursor: next ?? null });
      return;
    }
    if (entries > 0) print(table.toString());
    const more = entries === limit ? "; there may be more, see --limit" : "";
    print(`${entries} ${entries === 1 ? "entry" : "entries"}${cursor === undefined ? more : ""}`);
    if (next !== undefined) print(`next page: --cursor ${next}`);
  });
}
