/** What can be set of a keyspace, and what is told of it. */
import { VarveError } from "./errors.ts";

/** How blocks of tables are compressed. */
export const CODECS = ["none", "lz4", "zstd"] as const;
export type CodecName = (typeof CODECS)[number];

export interface KeyspaceSettings {
  /** Of what is put without an expiry of its own; a whole number of milliseconds from 1. Merges have none. */
  readonly ttlMs?: number;
  /** Of its tables at all levels, in the place of the store's setting. */
  readonly codec?: CodecName;
  /**
   * For how long, in milliseconds, and as long as they are among how many last sequences of the store, old versions are
   * kept, whichever is more; whole numbers from 0, and 0 where one of them is left out. Both in the place of the store's
   * settings, where either is there.
   */
  readonly retentionMs?: number;
  readonly retentionSequences?: number;
}

/** Settings apply where the keyspace is created; what is there already is left as it is. */
export interface KeyspaceOptions extends KeyspaceSettings {
  /** Create it where it is absent; else that is `NO_SUCH_KEYSPACE`. Default true. */
  readonly create?: boolean;
  /** Where it is there already, that is `KEYSPACE_EXISTS`. Default false. */
  readonly exclusive?: boolean;
}

/**
 * What is given is changed, and what is `null` taken away; `null` for either part of the retention takes away both. New
 * entries and new tables have it so, and from now on no more of the past goes than the retention lets go.
 */
export interface KeyspaceChanges {
  readonly ttlMs?: number | null;
  readonly codec?: CodecName | null;
  readonly retentionMs?: number | null;
  readonly retentionSequences?: number | null;
}

export interface KeyspaceInfo extends KeyspaceSettings {
  readonly name: string;
  /** Never given to another keyspace of the store; messages name keyspaces by it. */
  readonly id: number;
  /** By the store's wall clock, in milliseconds. */
  readonly createdAt: number;
  /** About what it takes in tables on the disk; what is in the log alone does not count. */
  readonly bytes: number;
}

const NAME_BYTES_MAX = 255;
const RETENTION_MS_MAX = 2 ** 42;

/** Those that are set. */
export function settingsIn({
  ttlMs,
  codec,
  retentionMs,
  retentionSequences,
}: KeyspaceChanges): KeyspaceSettings {
  return {
    ...(isSet(ttlMs) ? { ttlMs } : {}),
    ...(isSet(codec) ? { codec } : {}),
    ...(isSet(retentionMs) ? { retentionMs } : {}),
    ...(isSet(retentionSequences) ? { retentionSequences } : {}),
  };
}

function isSet<Value>(setting: Value | null | undefined): setting is Value {
  return setting !== undefined && setting !== null;
}

/** Throws `INVALID_ARGUMENT`. */
export function checkKeyspaceName(name: string): string {
  const isText = typeof name === "string" && name.isWellFormed();
  if (isText && name !== "" && Buffer.byteLength(name) <= NAME_BYTES_MAX) return name;
  const message = `a keyspace's name is a string of 1 to ${NAME_BYTES_MAX} bytes of UTF-8`;
  throw new VarveError("INVALID_ARGUMENT", message);
}

/** Throws `INVALID_ARGUMENT`. */
export function checkKeyspaceOptions(options: KeyspaceOptions | undefined): KeyspaceOptions {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null) {
    throw new VarveError("INVALID_ARGUMENT", "a keyspace's options are an object");
  }
  for (const name of ["create", "exclusive"] as const) {
    const flag: unknown = options[name];
    if (flag === undefined || typeof flag === "boolean") continue;
    throw new VarveError("INVALID_ARGUMENT", `${name} is a boolean, not ${typeof flag}`);
  }
  if (options.exclusive === true && options.create === false) {
    throw new VarveError("INVALID_ARGUMENT", "exclusive goes with creating the keyspace");
  }
  checkKeyspaceSettings(options);
  return options;
}

/** Throws `INVALID_ARGUMENT`. */
export function checkKeyspaceChanges(changes: KeyspaceChanges): KeyspaceChanges {
  if (typeof changes !== "object" || changes === null) {
    throw new VarveError("INVALID_ARGUMENT", "a keyspace's changes are an object");
  }
  const { ttlMs, codec, retentionMs, retentionSequences } = changes;
  const given = [ttlMs, codec, retentionMs, retentionSequences];
  if (given.every((one) => one === undefined)) {
    const message = "a keyspace's ttlMs, codec, retentionMs or retentionSequences can be changed";
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  checkKeyspaceSettings(settingsIn(changes));
  return changes;
}

function checkKeyspaceSettings(settings: KeyspaceSettings): void {
  const { codec } = settings;
  checkNumber(settings, "ttlMs", 1, Number.MAX_SAFE_INTEGER);
  checkNumber(settings, "retentionMs", 0, RETENTION_MS_MAX);
  checkNumber(settings, "retentionSequences", 0, Number.MAX_SAFE_INTEGER);
  if (codec !== undefined && !CODECS.includes(codec)) {
    const message = `codec is ${String(codec)}; it must be one of ${CODECS.join(", ")}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
}

function checkNumber(
  settings: KeyspaceSettings,
  name: "ttlMs" | "retentionMs" | "retentionSequences",
  min: number,
  max: number,
): void {
  const value = settings[name];
  if (value === undefined) return;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  const upTo = max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`;
  const message = `${name} is ${String(value)}; it must be a whole number from ${min}${upTo}`;
  throw new VarveError("INVALID_ARGUMENT", message);
}
