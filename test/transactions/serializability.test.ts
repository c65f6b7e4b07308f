/** Histories of many transactions at one time are serializable, embedded and over TCP. */
import { connect } from "varve-client";
import { expect, test } from "vitest";
import { Database } from "../../src/engine/database.ts";
import { MemoryFileSystem } from "../support/memory-file-system.ts";
import { Random, seeds } from "../support/random.ts";
import { anomaliesOf } from "../support/serializability.ts";
import { startTestServer } from "../support/test-server.ts";
import { TINY_SETTINGS } from "../support/tiny-settings.ts";
import type { RanTransaction } from "../support/transaction-history.ts";
import { runTransactions } from "../support/transaction-run.ts";

/** Enough of them got through for the history to say something. */
function expectSerializable(history: readonly RanTransaction[]): void {
  const committed = history.filter((one) => one.committed).length;
  expect(committed).toBeGreaterThan(history.length / 4);
  expect(anomaliesOf(history)).toEqual([]);
}

test.each(seeds(60))("in a database (seed %i)", async (seed) => {
  const random = new Random(seed);
  const fs = new MemoryFileSystem();
  const settings = seed % 2 === 0 ? TINY_SETTINGS : {};
  await using db = await Database.open("/db", { ...settings, fs, background: "inline" });
  const disturb = () => (random.below(2) === 0 ? db.flush() : db.compact());
  const options = { workers: 2 + random.below(8), transactionsEach: 20, disturb };
  expectSerializable(await runTransactions([db], random, options));
});

test.each(seeds(20))("over TCP, from two clients and beside the server (seed %i)", async (seed) => {
  const random = new Random(seed);
  const { port, database } = await startTestServer();
  const url = `varve://127.0.0.1:${port}`;
  await using one = await connect(url);
  await using two = await connect(url);
  const disturb = () => (random.below(2) === 0 ? database.flush() : one.compact());
  const options = { workers: 6, transactionsEach: 15, disturb };
  expectSerializable(await runTransactions([one, two, database], random, options));
});
