/** Reads the cities back: each by its key, and ranges of them by country and name. */
import type { VarveClient } from "varve-client";
import type { DatabaseStats } from "../../src/engine/stats.ts";
import type { ScanOptions, Store } from "../../src/store.ts";
import { type City, cityKey } from "./cities.ts";
import type { TextEntry } from "./city-loader.ts";
import { perSecond, say } from "./screen.ts";

const KEYS_AT_ONCE = 100;
const READS_IN_FLIGHT = 8;
const decoder = new TextDecoder();

/** How many entries are not there, or not with this value. */
export async function countWrong(store: Store, entries: readonly TextEntry[]): Promise<number> {
  let next = 0;
  let wrong = 0;
  const worker = async () => {
    while (next < entries.length) {
      const some = entries.slice(next, next + KEYS_AT_ONCE);
      next += some.length;
      const values = await store.getMany(some.map(({ key }) => key));
      some.forEach(({ value }, i) => {
        const got = values[i];
        if (got === undefined || decoder.decode(got) !== value) wrong++;
      });
    }
  };
  await Promise.all(Array.from({ length: READS_IN_FLIGHT }, worker));
  return wrong;
}

interface RangeRead {
  readonly what: string;
  readonly options: ScanOptions;
  /** The cities that the scan should find; their order is the scan's to know. */
  readonly expected: (city: City) => boolean;
}

const READS: readonly RangeRead[] = [
  {
    what: "cities in Germany",
    options: { prefix: "city/DE/" },
    expected: ({ country }) => country === "DE",
  },
  {
    what: "cities in France whose names start with Saint-",
    options: { prefix: "city/FR/Saint-" },
    expected: ({ country, name }) => country === "FR" && name.startsWith("Saint-"),
  },
  {
    what: "cities in Italy from the last name to the first",
    options: { prefix: "city/IT/", reverse: true },
    expected: ({ country }) => country === "IT",
  },
  {
    what: "cities from Iceland to Italy",
    options: { gte: "city/IS/", lt: "city/IU" },
    expected: ({ country }) => country === "IS" || country === "IT",
  },
];
const SHOWN = 3;

/** Reads ranges and prefixes and prints them; false where one has not what it should. */
export async function readRanges(store: Store, cities: readonly City[]): Promise<boolean> {
  let right = true;
  for (const { what, options, expected } of READS) {
    const names: string[] = [];
    for await (const [, value] of store.scan(options)) {
      names.push((JSON.parse(decoder.decode(value)) as City).name);
    }
    const count = cities.filter(expected).length;
    if (names.length !== count) right = false;
    say(`${names.length.toLocaleString("en-US")} ${what}: ${names.slice(0, SHOWN).join(", ")} …`);
  }
  const startedMs = performance.now();
  let entries = 0;
  let lastKey = "";
  let ordered = true;
  for await (const [key] of store.scan({ prefix: "city/" })) {
    const text = Buffer.from(key).toString("latin1");
    ordered &&= text > lastKey;
    lastKey = text;
    entries++;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  say(
    `Scanned all ${entries.toLocaleString("en-US")} in key order at ${perSecond(entries, seconds)}`,
  );
  const distinct = new Set(cities.map(cityKey)).size;
  return right && ordered && entries === distinct;
}

export async function printLevels(client: VarveClient): Promise<void> {
  const { store } = (await client.stats()) as unknown as { store: DatabaseStats };
  for (const { level, files, bytes, entries } of store.levels) {
    if (files === 0) continue;
    const mib = (bytes / 2 ** 20).toFixed(1);
    say(`Level ${level}: ${files} tables, ${mib} MiB, ${entries.toLocaleString("en-US")} entries`);
  }
}
