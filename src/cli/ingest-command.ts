/** `varve ingest`: sorted entries in any number, one JSON object a line. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import type { Pair } from "../store.ts";
import { type DataOptions, dataCommand, withStore } from "./data-options.ts";
import { parseDuration } from "./durations.ts";
import { print, printJson } from "./remote.ts";
import { type Encoding, toBytes } from "./text.ts";

interface IngestCommandOptions extends DataOptions {
  readonly ttl?: number;
}

/** Lines that are handed on together. */
const PAIRS_MAX = 1000;

export function ingestCommand(): Command {
  const description =
    'put all entries or none, in key order, one JSON object a line: {"key":"a","value":"1"}, or the puts of a batch without an expiry of their own';
  return dataCommand("ingest", description)
    .argument("<file>", "a file, or - for standard input")
    .option("--ttl <duration>", "all entries expire after this, as 90s or 12h", parseDuration)
    .action(ingest);
}

async function ingest(file: string, options: IngestCommandOptions): Promise<void> {
  let entries = 0;
  async function* pairs(): AsyncGenerator<readonly Pair[]> {
    for await (const some of pairsIn(file, options.encoding)) {
      entries += some.length;
      yield some;
    }
  }
  const expiry = options.ttl === undefined ? {} : { ttlMs: options.ttl };
  const { version } = await withStore(options, (store) => store.ingest(pairs(), expiry));
  if (options.json) printJson({ version, entries });
  else print(`${entries} entries ingested, version ${version}`);
}

async function* pairsIn(file: string, encoding: Encoding): AsyncGenerator<readonly Pair[]> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  let some: Pair[] = [];
  let number = 0;
  // A file that cannot be read fails the lines only if it is listened to.
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const failed = new Promise<never>((_, reject) => input.once("error", reject));
  failed.catch(() => lines.close());
  for await (const line of lines) {
    number++;
    if (line.trim() !== "") some.push(pairOf(line, number, encoding));
    if (some.length < PAIRS_MAX) continue;
    yield some;
    some = [];
  }
  if (input.errored) await failed;
  yield some;
}

function pairOf(line: string, number: number, encoding: Encoding): Pair {
  let parsed: { [name: string]: unknown } | null;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is not JSON`);
  }
  const { type = "put", key, value, ttlMs, expiresAt } = parsed ?? {};
  const isPut = type === "put" && (ttlMs ?? expiresAt) === undefined;
  if (!isPut || typeof key !== "string" || typeof value !== "string") {
    throw new Error(`line ${number} is not a key and a value`);
  }
  return [toBytes(key, encoding), toBytes(value, encoding)];
}
