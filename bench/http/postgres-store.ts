/**
 * Entries in a table of PostgreSQL, the plain way: a row each, an index on the key, upserts that count versions.
 * Every call is one statement, prepared once on each connection, and durable when it resolves.
 */
import { Pool, types } from "pg";

/** A row has the shape of an answer. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly version: number;
  /** ISO 8601. */
  readonly created_at: string;
  readonly updated_at: string;
}

export type Change =
  | { readonly key: string; readonly value: string }
  | { readonly key: string; readonly delete: true };

export type Changed = Entry | { readonly key: string; readonly deleted: true };

/** Both ends are inclusive; `after` is exclusive, where a page begins. */
export interface RangeQuery {
  readonly start?: string | undefined;
  readonly end?: string | undefined;
  readonly after?: string | undefined;
  readonly reverse: boolean;
  readonly limit: number;
}

/** How many connections it uses at most. */
export const POOL_CONNECTIONS = 20;

const BIGINT = 20;
const TIMESTAMPTZ = 1184;

/** Keys order as bytes. Pages have room for new versions of their rows, which then leave the index alone. */
const TABLE = `
  CREATE TABLE kv (
    key text COLLATE "C" PRIMARY KEY,
    value text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
  ) WITH (fillfactor = 80)`;

const COLUMNS = "key, value, version, created_at, updated_at";

const UPSERT_END = `
  ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, version = kv.version + 1, updated_at = now()
  RETURNING ${COLUMNS}`;

const GET = { name: "get", text: `SELECT ${COLUMNS} FROM kv WHERE key = $1` };
const PUT = { name: "put", text: `INSERT INTO kv (key, value) VALUES ($1, $2) ${UPSERT_END}` };
const DELETE = { name: "delete", text: "DELETE FROM kv WHERE key = $1" };
const PUT_MANY = {
  name: "put-many",
  text: `INSERT INTO kv (key, value) SELECT * FROM unnest($1::text[], $2::text[]) ${UPSERT_END}`,
};
const DELETE_MANY = { name: "delete-many", text: "DELETE FROM kv WHERE key = ANY ($1::text[])" };

/** The server's text of a time in UTC, `2026-01-31 12:00:00.5+00`, in ISO 8601 with milliseconds. */
export function isoTime(text: string): string {
  const fraction = text.slice(20, -3).padEnd(3, "0");
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction}Z`;
}

function parserOf(type: number): (text: string) => unknown {
  if (type === BIGINT) return Number;
  if (type === TIMESTAMPTZ) return isoTime;
  return types.getTypeParser(type);
}

/** A statement for each set of bounds that is asked for. */
function rangeStatement({ start, end, after, reverse, limit }: RangeQuery) {
  const values: (string | number)[] = [];
  const conditions: string[] = [];
  const bound = (operator: string, key: string | undefined) => {
    if (key !== undefined) conditions.push(`key ${operator} $${values.push(key)}`);
  };
  bound(">=", start);
  bound("<=", end);
  bound(reverse ? "<" : ">", after);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const order = reverse ? "DESC" : "ASC";
  const text = `SELECT ${COLUMNS} FROM kv ${where} ORDER BY key ${order} LIMIT $${values.push(limit)}`;
  return { name: `range ${where} ${order}`, text, values };
}

export class PostgresStore {
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** `host` is the directory of the server's socket. Makes the table, which must not be there. */
  static async create(host: string, user: string): Promise<PostgresStore> {
    const pool = new Pool({
      host,
      user,
      database: "postgres",
      max: POOL_CONNECTIONS,
      // Connections are kept, and with them the statements that they have prepared.
      idleTimeoutMillis: 0,
      types: { getTypeParser: parserOf as typeof types.getTypeParser },
    });
    await pool.query(TABLE);
    return new PostgresStore(pool);
  }

  async get(key: string): Promise<Entry | undefined> {
    const { rows } = await this.#pool.query<Entry>({ ...GET, values: [key] });
    return rows[0];
  }

  async put(key: string, value: string): Promise<Entry> {
    const { rows } = await this.#pool.query<Entry>({ ...PUT, values: [key, value] });
    return rows[0] as Entry;
  }

  async delete(key: string): Promise<void> {
    await this.#pool.query({ ...DELETE, values: [key] });
  }

  /** In key order, or the other way round. */
  async range(query: RangeQuery): Promise<Entry[]> {
    const { rows } = await this.#pool.query<Entry>(rangeStatement(query));
    return rows;
  }

  /** All of the changes or none; a later one on the same key wins. Resolves with what each came to. */
  async batch(changes: readonly Change[]): Promise<Changed[]> {
    const last = [...new Map(changes.map((change) => [change.key, change])).values()];
    // Two batches that share keys lock them in the same order, so that neither waits for the other.
    last.sort((a, b) => (a.key < b.key ? -1 : 1));
    const puts = last.filter((change) => "value" in change);
    const deletes = last.filter((change) => "delete" in change).map(({ key }) => key);
    const putMany = {
      ...PUT_MANY,
      values: [puts.map((put) => put.key), puts.map((put) => put.value)],
    };
    const entries =
      deletes.length === 0
        ? (await this.#pool.query<Entry>(putMany)).rows
        : await this.#putAndDelete(putMany, deletes);
    const byKey = new Map(entries.map((entry) => [entry.key, entry]));
    return changes.map(({ key }) => byKey.get(key) ?? { key, deleted: true });
  }

  /** After a load: the planner knows the table, and no checkpoint is due for long. */
  async settle(): Promise<void> {
    await this.#pool.query("VACUUM ANALYZE kv");
    await this.#pool.query("CHECKPOINT");
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #putAndDelete(
    putMany: { readonly name: string; readonly text: string; values: string[][] },
    deletes: readonly string[],
  ): Promise<Entry[]> {
    const client = await this.#pool.connect();
    try {
      await client.query("BEGIN");
      const { rows } = await client.query<Entry>(putMany);
      await client.query({ ...DELETE_MANY, values: [deletes] });
      await client.query("COMMIT");
      client.release();
      return rows;
    } catch (error) {
      // A connection whose transaction is not over is not used again.
      client.release(true);
      throw error;
    }
  }
}
