/** `varve keyspaces | keyspace create | keyspace alter | keyspace drop`: the named parts of a server's store. */
import Table from "cli-table3";
import { Command, Option } from "commander";
import { CODECS, type CodecName, type KeyspaceInfo } from "../store.ts";
import { parseDuration } from "./durations.ts";
import { parseWhole } from "./integers.ts";
import {
  jsonOption,
  print,
  printJson,
  type RemoteOptions,
  urlOption,
  withClient,
} from "./remote.ts";
import { formatSize } from "./sizes.ts";

interface SettingOptions extends RemoteOptions {
  readonly ttl?: number;
  readonly codec?: CodecName;
  readonly retentionTime?: number;
  readonly retention?: number;
}

interface AlterOptions extends RemoteOptions {
  /** False where there is to be none. */
  readonly ttl?: number | false;
  readonly codec?: CodecName;
  readonly levelCodec?: true;
  readonly retentionTime?: number;
  /** False where it is to be the store's. */
  readonly retention?: number | false;
}

const PLAIN = { head: [], border: [] };
const NAME_TEXT = "its name, of 1 to 255 bytes";
const TTL_TEXT = "what is put without an expiry is there for so long, as 10s, 5m, 2h or 7d";

const RETENTION_TIME_TEXT = "what is overwritten or deleted can be read at least for so long";
const RETENTION_TEXT = "and for as long as it is among so many last sequences of the store";

export function keyspaceCommands(): Command[] {
  return [
    remote("keyspaces", "list the keyspaces, with about what they take on the disk").action(list),
    new Command("keyspace")
      .description("create, alter or drop a keyspace")
      .addCommand(
        remote("create", "create a keyspace; fails where it is there already")
          .argument("<name>", NAME_TEXT)
          .option("--ttl <time>", TTL_TEXT, parseDuration)
          .addOption(codecOption())
          .option("--retention-time <time>", RETENTION_TIME_TEXT, parseDuration)
          .option("--retention <sequences>", RETENTION_TEXT, parseWhole)
          .action(create),
      )
      .addCommand(
        remote("alter", "change what new entries and tables of a keyspace have")
          .argument("<name>", NAME_TEXT)
          .option("--ttl <time>", TTL_TEXT, parseDuration)
          .addOption(new Option("--no-ttl", "they are there for good"))
          .addOption(codecOption())
          .addOption(new Option("--level-codec", "the codec of their level").conflicts("codec"))
          .addOption(
            new Option("--retention-time <time>", RETENTION_TIME_TEXT).argParser(parseDuration),
          )
          .option("--retention <sequences>", RETENTION_TEXT, parseWhole)
          .addOption(new Option("--no-retention", "as long as the store says"))
          .action(alter),
      )
      .addCommand(
        remote("drop", "drop a keyspace with all that is in it; exits with 1 where there is none")
          .argument("<name>", NAME_TEXT)
          .action(drop),
      ),
  ];
}

function remote(name: string, description: string): Command {
  return new Command(name).description(description).addOption(urlOption()).addOption(jsonOption());
}

function codecOption(): Option {
  return new Option("--codec <name>", "how its tables are compressed").choices(CODECS);
}

async function list(options: RemoteOptions): Promise<void> {
  const keyspaces = await withClient(options, (client) => client.keyspaces());
  if (options.json) return printJson(keyspaces);
  const table = new Table({
    head: ["name", "id", "size", "created", "ttl", "codec", "retention"],
    colAligns: ["left", "right", "right"],
    style: PLAIN,
  });
  for (const keyspace of keyspaces) {
    const { name, id, bytes, createdAt, ttlMs, codec } = keyspace;
    const ttl = ttlMs === undefined ? "" : `${ttlMs} ms`;
    const created = new Date(createdAt).toISOString();
    table.push([name, id, formatSize(bytes), created, ttl, codec ?? "", shownRetention(keyspace)]);
  }
  if (keyspaces.length > 0) print(table.toString());
  print(`${keyspaces.length} ${keyspaces.length === 1 ? "keyspace" : "keyspaces"}`);
}

function shownRetention({ retentionMs, retentionSequences }: KeyspaceInfo): string {
  const parts = [
    ...(retentionMs === undefined ? [] : [`${retentionMs} ms`]),
    ...(retentionSequences === undefined ? [] : [`${retentionSequences} sequences`]),
  ];
  return parts.join(", ");
}

async function create(name: string, options: SettingOptions): Promise<void> {
  const { ttl: ttlMs, codec, retentionTime, retention } = options;
  const settings = {
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(codec === undefined ? {} : { codec }),
    ...(retentionTime === undefined ? {} : { retentionMs: retentionTime }),
    ...(retention === undefined ? {} : { retentionSequences: retention }),
  };
  await withClient(options, (client) => client.keyspace(name, { exclusive: true, ...settings }));
  if (options.json) printJson({ name, created: true });
  else print(`created keyspace ${name}`);
}

async function alter(name: string, options: AlterOptions): Promise<void> {
  const { ttl, codec, levelCodec, retentionTime, retention } = options;
  const changes = {
    ...(ttl === undefined ? {} : { ttlMs: ttl === false ? null : ttl }),
    ...(codec === undefined ? {} : { codec }),
    ...(levelCodec === true ? { codec: null } : {}),
    ...(retention === undefined
      ? {}
      : { retentionSequences: retention === false ? null : retention }),
    ...(retentionTime === undefined ? {} : { retentionMs: retentionTime }),
  };
  await withClient(options, (client) => client.alterKeyspace(name, changes));
  if (options.json) printJson({ name, altered: true });
  else print(`altered keyspace ${name}`);
}

async function drop(name: string, options: RemoteOptions): Promise<void> {
  const dropped = await withClient(options, (client) => client.dropKeyspace(name));
  if (options.json) printJson({ name, dropped });
  else if (dropped) print(`dropped keyspace ${name}`);
  else process.stderr.write(`there is no keyspace ${name}\n`);
  if (!dropped) process.exitCode = 1;
}
