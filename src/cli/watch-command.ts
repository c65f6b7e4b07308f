/** `varve watch`: what is committed, as it is, until SIGINT. */
import { type Command, InvalidArgumentError } from "commander";
import type { CommitEvent, FeedOperation, IngestEvent, WatchEvent } from "../store.ts";
import { type DataOptions, dataCommand, withStore } from "./data-options.ts";
import { parseDuration } from "./durations.ts";
import { print, printJson } from "./remote.ts";
import { type Encoding, toBytes, toLine, toText } from "./text.ts";

interface WatchCommandOptions extends DataOptions {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
  readonly since?: number;
  readonly heartbeat?: number;
  readonly limit: number;
}

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

export function watchCommand(): Command {
  return dataCommand("watch", "print what is committed, until Ctrl+C")
    .option("--gte <key>", "from this key on")
    .option("--gt <key>", "after this key")
    .option("--lt <key>", "before this key")
    .option("--lte <key>", "up to this key")
    .option("--prefix <key>", "keys that start with this")
    .option("--since <sequence>", "begin behind this sequence, not now", parseWhole)
    .option("--heartbeat <time>", "how often to say how far it is, with --json", parseDuration)
    .option("--limit <count>", "end after so many commits; 0 for never", parseWhole, 0)
    .action(watch);
}

function parseWhole(text: string): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError(`${text} is not a whole number from 0`);
  }
  return number;
}

async function watch(options: WatchCommandOptions): Promise<void> {
  const { encoding, since, heartbeat: heartbeatMs, limit } = options;
  const bounds = Object.fromEntries(
    BOUNDS.flatMap((name) => {
      const bound = options[name];
      return bound === undefined ? [] : [[name, toBytes(bound, encoding)]];
    }),
  );
  await withStore(options, async (store) => {
    await using watched = store.watch({
      ...bounds,
      ...(since === undefined ? {} : { since }),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    });
    const interrupted = () => void watched.return();
    process.once("SIGINT", interrupted);
    let commits = 0;
    for await (const event of watched) {
      if (options.json) printJson(plainEvent(event, encoding));
      else if (event.type === "commit") printCommit(event, encoding);
      else if (event.type === "ingest") printIngest(event, encoding);
      if (event.type !== "progress" && ++commits === limit) break;
    }
    process.off("SIGINT", interrupted);
  });
}

function printCommit({ sequence, time, operations }: CommitEvent, encoding: Encoding): void {
  for (const operation of operations) {
    print(`${sequence} ${new Date(time).toISOString()} ${describe(operation, encoding)}`);
  }
}

function printIngest({ sequence, time, gte, lt }: IngestEvent, encoding: Encoding): void {
  const to = lt === undefined ? "" : ` to ${toLine(lt, encoding)}`;
  const from = toLine(gte, encoding);
  print(`${sequence} ${new Date(time).toISOString()} ingest from ${from}${to}`);
}

function describe(operation: FeedOperation, encoding: Encoding): string {
  const text = (bytes: Uint8Array) => toLine(bytes, encoding);
  switch (operation.type) {
    case "put":
      return `put ${text(operation.key)} ${text(operation.value)}`;
    case "delete":
      return `delete ${text(operation.key)}`;
    case "merge":
      return `merge ${text(operation.key)} ${operation.operator} ${toLine(operation.operand, operation.operator === "append" ? encoding : "hex")}`;
    case "deleteRange":
      return `deleteRange from ${text(operation.gte)}${operation.lt === undefined ? "" : ` to ${text(operation.lt)}`}`;
  }
}

/** Bytes as text, counters' operands in hex. */
function plainEvent(event: WatchEvent, encoding: Encoding): object {
  if (event.type === "progress") return event;
  if (event.type === "ingest") {
    const { gte, lt } = event;
    const to = lt === undefined ? {} : { lt: toText(lt, encoding) };
    return { ...event, gte: toText(gte, encoding), ...to };
  }
  const operations = event.operations.map((operation) => {
    const entries = Object.entries(operation).map(([name, value]) => {
      if (!(value instanceof Uint8Array)) return [name, value];
      const isCounter = operation.type === "merge" && operation.operator !== "append";
      return [name, toText(value, name === "operand" && isCounter ? "hex" : encoding)];
    });
    return Object.fromEntries(entries);
  });
  return { ...event, operations };
}
