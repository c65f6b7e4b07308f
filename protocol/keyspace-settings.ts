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
}

/** Settings apply where the keyspace is created; what is there already is left as it is. */
export interface KeyspaceOptions extends KeyspaceSettings {
  /** Create it where it is absent; else that is `NO_SUCH_KEYSPACE`. Default true. */
  readonly create?: boolean;
  /** Where it is there already, that is `KEYSPACE_EXISTS`. Default false. */
  readonly exclusive?: boolean;
}

/** What is given is changed, and what is `null` taken away. New entries and new tables have it so. */
export interface KeyspaceChanges {
  readonly ttlMs?: number | null;
  readonly codec?: CodecName | null;
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
  const { ttlMs, codec } = changes;
  if (ttlMs === undefined && codec === undefined) {
    throw new VarveError("INVALID_ARGUMENT", "a keyspace's ttlMs or codec can be changed");
  }
  checkKeyspaceSettings({
    ...(ttlMs === undefined || ttlMs === null ? {} : { ttlMs }),
    ...(codec === undefined || codec === null ? {} : { codec }),
  });
  return changes;
}

function checkKeyspaceSettings({ ttlMs, codec }: KeyspaceSettings): void {
  if (ttlMs !== undefined && (!Number.isSafeInteger(ttlMs) || ttlMs < 1)) {
    const message = `ttlMs is ${String(ttlMs)}; it must be a whole number from 1`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
  if (codec !== undefined && !CODECS.includes(codec)) {
    const message = `codec is ${String(codec)}; it must be one of ${CODECS.join(", ")}`;
    throw new VarveError("INVALID_ARGUMENT", message);
  }
}
