import { expect, test } from "vitest";
import type { Database } from "../../../src/engine/database.ts";
import type { DatabaseStats } from "../../../src/engine/stats.ts";
import { ask, changedStore, startHttp } from "./support.ts";

const statsWith = (database: Database, changes: Partial<DatabaseStats>) =>
  changedStore(database, { stats: () => ({ ...database.stats(), ...changes }) });

test("a server lives, and is ready", async () => {
  const { url } = await startHttp();
  expect((await ask(`${url}/healthz`)).json).toEqual({ status: "ok", version: "0.0.0" });
  expect((await ask(`${url}/readyz`)).json).toEqual({ status: "ready" });
  expect((await ask(`${url}/readyz/`)).status).toBe(200);
});

const CASES: readonly [string, string, (database: Database) => ReturnType<typeof changedStore>][] =
  [
    [
      "writes are delayed",
      "OVERLOADED",
      (database) =>
        statsWith(database, { delays: { ...database.stats().delays, bytesPerSecond: 5000 } }),
    ],
    [
      "writes wait",
      "OVERLOADED",
      (database) => statsWith(database, { delays: { ...database.stats().delays, waiting: 3 } }),
    ],
    [
      "space is low",
      "NO_SPACE",
      (database) => statsWith(database, { space: { ...database.stats().space, isLow: true } }),
    ],
    [
      "background work has failed",
      "IO_ERROR",
      (database) =>
        statsWith(database, { background: { ...database.stats().background, failure: "EIO" } }),
    ],
    [
      "the log has failed",
      "LOG_FAILED",
      (database) => statsWith(database, { log: { failure: "a sync failed" } }),
    ],
  ];

test.each(CASES)("a server is not ready where %s (%s), and lives", async (_, code, wrap) => {
  const { url } = await startHttp({}, {}, wrap);
  const answer = await ask(`${url}/readyz`);
  expect([answer.status, answer.json.code]).toEqual([503, code]);
  expect(answer.json.reasons).toHaveLength(1);
  expect(answer.headers["retry-after"]).toBe("1");
  expect((await ask(`${url}/healthz`)).status).toBe(200);
});

test("a read-only database is ready: for reads", async () => {
  const { url } = await startHttp({ isReadOnly: true });
  expect((await ask(`${url}/readyz`)).status).toBe(200);
});
