/** `varve serve`, and with it `npm start`. */
import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_PORT } from "varve-protocol";
import { DEFAULT_SETTINGS } from "../options.ts";
import { DURABILITIES } from "../store.ts";
import { parseDuration } from "./durations.ts";
import { parseWhole } from "./integers.ts";
import { type ServeOptions, serve } from "./serve.ts";
import { parseSize } from "./sizes.ts";

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
/** Clients lose their connection and go on; a program that embeds the database has nothing to lose. */
const FEED_RETENTION_BYTES = 64 * 1024 * 1024;
const PORT_MAX = 65_535;
const HTTP_PORT = 8000;

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX) {
    throw new InvalidArgumentError(`a port is a whole number from 0 to ${PORT_MAX}`);
  }
  return port;
}

export function serveCommand(): Command {
  return new Command("serve")
    .description("serve a database over TCP and HTTP until SIGINT or SIGTERM")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <number>", "port to listen on; 0 for any that is free", parsePort, DEFAULT_PORT)
    .option("--no-http", "serve over TCP alone")
    .option("--http-host <address>", "address to listen on for HTTP", "127.0.0.1")
    .option("--http-port <number>", "port for HTTP; 0 for any that is free", parsePort, HTTP_PORT)
    .option(
      "--http-tokens <file>",
      'JSON {"read": ["…"], "write": ["…"]} of tokens, one of which HTTP requests then need',
    )
    .option("--data <directory>", "where the database is, or is to be made", "./data")
    .addOption(
      new Option("--durability <mode>", "when writes are answered, unless they say otherwise")
        .choices(DURABILITIES)
        .default(DEFAULT_SETTINGS.durability),
    )
    .option(
      "--memory-budget <size>",
      "memory for memtables, cache and indexes, as 512MiB",
      parseSize,
      DEFAULT_SETTINGS.memoryBudget,
    )
    .option(
      "--feed-retention <size>",
      "log that is kept for watchers alone; 0 for none",
      parseSize,
      FEED_RETENTION_BYTES,
    )
    .option(
      "--feed-retention-time <time>",
      "and for how long, as 1h; 0 for as long as there is room",
      parseDuration,
      DEFAULT_SETTINGS.feedRetentionMs,
    )
    .option(
      "--retention <count>",
      "old versions are kept while among so many last writes",
      parseWhole,
      DEFAULT_SETTINGS.retentionSequences,
    )
    .option(
      "--retention-time <time>",
      "and for so long, as 1h; 0 and 0 keep none for long",
      parseDuration,
      DEFAULT_SETTINGS.retentionMs,
    )
    .option("--read-only", "change nothing on the disk; opens in spite of damage", false)
    .addOption(new Option("--log-level <level>", "what to log").choices(LOG_LEVELS).default("info"))
    .action((options: ServeOptions) => serve(options));
}
