/**
 * `npm run demo`: loads the world's cities through the client over TCP into a throw-away server, with durable
 * writes; kills the server with SIGKILL half-way, starts it again on the same data and goes on; checks every
 * city back by value; reads ranges and prefixes; and prints what it did and how fast. Exits with 1 where
 * anything is not as it was written.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type VarveClient } from "varve-client";
import { startServer } from "../support/server-process.ts";
import { cityKey, cityValue, loadCities } from "./cities.ts";
import { CityLoader } from "./city-loader.ts";
import { countWrong, printLevels, readRanges } from "./city-reads.ts";
import { Progress, perSecond, say } from "./screen.ts";

const cities = loadCities();
const directory = await mkdtemp(join(tmpdir(), "varve-demo-"));
try {
  process.exitCode = (await runDemo()) ? 0 : 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function runDemo(): Promise<boolean> {
  say(`Loading ${cities.length.toLocaleString("en-US")} cities with durable writes`);
  const entries = cities.map((city) => ({ key: cityKey(city), value: cityValue(city) }));
  const loader = new CityLoader(entries, new Progress("loading", entries.length));

  let server = await startServer(directory);
  let client = await connect(server.url);
  const first = loader.loadUntil(client, entries.length / 2);
  await first.reached;
  await server.kill();
  await first.ended;
  const beforeKill = loader.acknowledged;
  say(
    `Killed the server (SIGKILL) with ${beforeKill.toLocaleString("en-US")} acknowledged and ${loader.unanswered} in flight`,
  );

  server = await startServer(directory);
  client = await connect(server.url);
  say(`Serving again after ${server.startMs.toFixed(0)} ms, ${await recovered(client)}`);
  const lost = await countWrong(client, loader.acknowledgedEntries());
  say(`Acknowledged before the kill and not there after it: ${lost}`);
  await loader.loadUntil(client, entries.length).ended;
  say(`Loaded at ${perSecond(entries.length, loader.seconds)} (durable puts, one connection)`);

  const startedMs = performance.now();
  const wrong = await countWrong(client, entries);
  const seconds = (performance.now() - startedMs) / 1000;
  say(
    `Checked every city by value at ${perSecond(entries.length, seconds)}: ${wrong} wrong or missing`,
  );

  const rangesRight = await readRanges(client, cities);
  await client.flush();
  await printLevels(client);
  await client.close();
  const exitCode = await server.stop();
  say(`Stopped the server (SIGTERM), exit code ${exitCode}`);
  const good = lost === 0 && wrong === 0 && rangesRight && exitCode === 0;
  say(good ? "All is as it was written." : "NOT all is as it was written.");
  return good;
}

async function recovered(client: VarveClient): Promise<string> {
  const { store } = (await client.stats()) as {
    store: { recovery: { logBytes: number; operations: number; ms: number } };
  };
  const { logBytes, operations, ms } = store.recovery;
  const mib = (logBytes / 2 ** 20).toFixed(1);
  return `of which ${ms} ms went into replaying ${operations.toLocaleString("en-US")} operations (${mib} MiB of log)`;
}
