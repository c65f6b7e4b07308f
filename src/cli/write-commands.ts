/** `varve put | del | delrange | incr | merge | expire | persist`: changes to one entry. `batch` has a file of its own. */
import { text } from "node:stream/consumers";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { type Commit, type Condition, MERGE_OPERATORS, type MergeOperator } from "../store.ts";
import {
  type DataOptions,
  printAbsent,
  printCommit,
  withStore,
  writeCommand,
  writeOptions,
} from "./data-options.ts";
import { parseDuration } from "./durations.ts";
import { integerOf, parseInteger } from "./integers.ts";
import { print, printJson } from "./remote.ts";
import { toBytes } from "./text.ts";

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

interface ConditionalOptions extends DataOptions {
  readonly ifAbsent?: true;
  readonly ifPresent?: true;
  readonly ifSequence?: number;
}

interface RangeOptions extends DataOptions {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
}

interface PutCommandOptions extends ConditionalOptions {
  readonly ttl?: number;
}

export function writeCommands(): Command[] {
  return [
    conditional(writeCommand("put", "store a value; - reads it from standard input"))
      .option("--ttl <time>", "how long it is there, as 250ms, 10s, 5m, 2h or 7d", parseDuration)
      .argument("<key>")
      .argument("<value>")
      .action(put),
    conditional(writeCommand("del", "delete a key")).argument("<key>").action(remove),
    writeCommand("delrange", "delete all keys in a range; at least one bound is given")
      .option("--gte <key>", "from this key on")
      .option("--gt <key>", "after this key")
      .option("--lt <key>", "before this key")
      .option("--lte <key>", "up to this key")
      .option("--prefix <key>", "keys that start with this")
      .action(removeRange),
    writeCommand("incr", "add to a counter, and print what it came to")
      .argument("<key>")
      .argument("[delta]", "a whole number, which may be below 0", parseInteger, 1n)
      .action(increment),
    writeCommand("merge", "fold an operand into a value without reading it")
      .argument("<key>")
      .addArgument(new Argument("<operator>").choices(MERGE_OPERATORS))
      .argument("<operand>", "a whole number; for append, bytes")
      .action(merge),
    writeCommand("expire", "let an entry expire; exits with 1 where the key is absent")
      .argument("<key>")
      .argument("<ttl>", "how long it is still there, as 250ms, 10s, 5m, 2h or 7d", parseDuration)
      .action(expire),
    writeCommand("persist", "let an entry not expire; exits with 1 where the key is absent")
      .argument("<key>")
      .action(persist),
  ];
}

function conditional(command: Command): Command {
  return command
    .addOption(
      new Option("--if-absent", "only where the key is absent").conflicts([
        "ifPresent",
        "ifSequence",
      ]),
    )
    .addOption(new Option("--if-present", "only where it is present").conflicts("ifSequence"))
    .addOption(
      new Option("--if-sequence <number>", "only where its entry is of this sequence").argParser(
        parseSequence,
      ),
    );
}

function conditionOf(options: ConditionalOptions): { if?: Condition } {
  if (options.ifAbsent) return { if: { absent: true } };
  if (options.ifPresent) return { if: { present: true } };
  return options.ifSequence === undefined ? {} : { if: { sequence: options.ifSequence } };
}

function parseSequence(sequence: string): number {
  const number = Number(parseInteger(sequence));
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError("a sequence is a whole number from 0");
}

async function put(key: string, value: string, options: PutCommandOptions): Promise<void> {
  const { encoding, ttl } = options;
  const bytes = toBytes(value === "-" ? await text(process.stdin) : value, encoding);
  const putOptions = {
    ...writeOptions(options),
    ...conditionOf(options),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
  };
  const commit = await withStore(options, (store) =>
    store.put(toBytes(key, encoding), bytes, putOptions),
  );
  printCommit(commit.version, options);
}

async function removeRange(options: RangeOptions): Promise<void> {
  const range = Object.fromEntries(
    BOUNDS.flatMap((name) => {
      const bound = options[name];
      return bound === undefined ? [] : [[name, toBytes(bound, options.encoding)]];
    }),
  );
  const commit = await withStore(options, (store) =>
    store.deleteRange(range, writeOptions(options)),
  );
  printCommit(commit.version, options);
}

async function remove(key: string, options: ConditionalOptions): Promise<void> {
  const deleteOptions = { ...writeOptions(options), ...conditionOf(options) };
  const commit = await withStore(options, (store) =>
    store.delete(toBytes(key, options.encoding), deleteOptions),
  );
  printCommit(commit.version, options);
}

async function increment(key: string, delta: bigint, options: DataOptions): Promise<void> {
  const { version, value } = await withStore(options, (store) =>
    store.increment(toBytes(key, options.encoding), delta, writeOptions(options)),
  );
  // JSON readers take numbers for doubles, which do not hold every counter.
  if (options.json) printJson({ value: String(value), version });
  else print(String(value));
}

async function merge(
  key: string,
  operator: MergeOperator,
  operand: string,
  options: DataOptions,
): Promise<void> {
  const { encoding } = options;
  const folded = operator === "append" ? toBytes(operand, encoding) : integerOf(operand);
  if (folded === undefined) throw new Error(`${operator} takes a whole number, not ${operand}`);
  const commit = await withStore(options, (store) =>
    store.merge(toBytes(key, encoding), operator, folded, writeOptions(options)),
  );
  printCommit(commit.version, options);
}

async function expire(key: string, ttlMs: number, options: DataOptions): Promise<void> {
  const commit = await withStore(options, (store) =>
    store.expire(toBytes(key, options.encoding), { ttlMs }, writeOptions(options)),
  );
  printCommitOrAbsent(key, commit, options);
}

async function persist(key: string, options: DataOptions): Promise<void> {
  const commit = await withStore(options, (store) =>
    store.persist(toBytes(key, options.encoding), writeOptions(options)),
  );
  printCommitOrAbsent(key, commit, options);
}

function printCommitOrAbsent(key: string, commit: Commit | undefined, options: DataOptions): void {
  if (commit === undefined) printAbsent(key, options, { version: null });
  else printCommit(commit.version, options);
}
