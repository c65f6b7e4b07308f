/** `varve batch`: many operations at once, one JSON object a line. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { type Expiry, MERGE_OPERATORS, type Operation } from "../store.ts";
import { type DataOptions, withStore, writeCommand, writeOptions } from "./data-options.ts";
import { integerOf } from "./integers.ts";
import { print, printJson } from "./remote.ts";
import { type Encoding, toBytes } from "./text.ts";

/** A line's object, checked by nobody. */
type Line = Readonly<Record<string, unknown>>;

const LINES = [
  '{"type":"put","key":"a","value":"1"}, with "ttlMs" or "expiresAt" where it expires',
  '{"type":"delete","key":"b"}',
  '{"type":"merge","key":"c","operator":"add","operand":"1"}',
];

export function batchCommand(): Command {
  const description = `apply all operations or none, one JSON object a line: ${LINES.join("; ")}`;
  return writeCommand("batch", description)
    .argument("<file>", "a file, or - for standard input")
    .action(batch);
}

async function batch(file: string, options: DataOptions): Promise<void> {
  const lines = (file === "-" ? await text(process.stdin) : await readFile(file, "utf8")).split(
    "\n",
  );
  const operations = lines.flatMap((line, i) =>
    line.trim() === "" ? [] : [parseLine(line, i + 1, options.encoding)],
  );
  const commit = await withStore(options, (store) =>
    store.batch(operations, writeOptions(options)),
  );
  if (options.json) printJson({ version: commit.version, operations: operations.length });
  else print(`${operations.length} operations applied, version ${commit.version}`);
}

function parseLine(line: string, number: number, encoding: Encoding): Operation {
  let parsed: Line | null;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new Error(`line ${number} is not JSON`);
  }
  const operation = operationOf(parsed ?? {}, encoding);
  if (operation !== undefined) return operation;
  throw new Error(
    `line ${number} is neither a put with key and value, nor a delete with a key, nor a merge with key, operator and operand, nor a deleteRange with bounds`,
  );
}

/** `undefined` for what is no operation. What the client checks is not checked here. */
function operationOf(line: Line, encoding: Encoding): Operation | undefined {
  const { type, key, value } = line;
  if (type === "deleteRange") return rangeOf(line, encoding);
  if (typeof key !== "string") return undefined;
  const bytes = toBytes(key, encoding);
  switch (type) {
    case "delete":
      return { type, key: bytes };
    case "put": {
      if (typeof value !== "string") return undefined;
      return { type, key: bytes, value: toBytes(value, encoding), ...expiryOf(line) };
    }
    case "merge":
      return mergeOf(bytes, line, encoding);
    default:
      return undefined;
  }
}

const BOUNDS = ["gte", "gt", "lt", "lte", "prefix"] as const;

function rangeOf(line: Line, encoding: Encoding): Operation {
  const given = BOUNDS.filter((name) => typeof line[name] === "string");
  const bounds = given.map((name) => [name, toBytes(String(line[name]), encoding)]);
  return { type: "deleteRange", ...Object.fromEntries(bounds) };
}

function expiryOf(line: Line): Expiry {
  const given = ["ttlMs", "expiresAt"].filter((name) => line[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, line[name]])) as Expiry;
}

/** A counter's operand is a number, or a string where a number would not hold it. */
function mergeOf(key: Uint8Array, line: Line, encoding: Encoding): Operation | undefined {
  const { operand } = line;
  const operator = MERGE_OPERATORS.find((name) => name === line.operator);
  if (operator === undefined) return undefined;
  const merge = { type: "merge", key, operator } as const;
  if (operator !== "append" && typeof operand === "number") return { ...merge, operand };
  if (typeof operand !== "string") return undefined;
  if (operator === "append") return { ...merge, operand: toBytes(operand, encoding) };
  const integer = integerOf(operand);
  return integer === undefined ? undefined : { ...merge, operand: integer };
}
