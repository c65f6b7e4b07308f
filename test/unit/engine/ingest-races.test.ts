import { expect, test } from "vitest";
import { Database } from "../../../src/engine/database.ts";
import { Ingests } from "../../../src/engine/ingests.ts";
import { openEngine } from "../../../src/engine/open-engine.ts";
import { KeyMapping, type Pair } from "../../../src/store.ts";
import { MemoryFileSystem } from "../../support/memory-file-system.ts";
import { Random, seeds } from "../../support/random.ts";
import { TINY_SETTINGS } from "../../support/tiny-settings.ts";

const KEYS = 40;
const keyOf = (i: number) => `k${String(i).padStart(2, "0")}`;

/** Each value says which write it is of; of a key the write with the larger version must be seen. */
class Writers {
  readonly newest = new Map<string, { version: number; value: string }>();
  readonly all: { readonly key: string; readonly version: number }[] = [];
  readonly conditional: {
    readonly key: string;
    readonly after: number;
    readonly version: number;
  }[] = [];
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async put(random: Random, name: string): Promise<void> {
    const key = keyOf(random.below(KEYS));
    const { version } = await this.#db.put(key, name);
    this.wrote(key, version, name);
  }

  /** Where the key's entry is what it was; of what `all` has, nothing lies between. */
  async putIfSame(random: Random, name: string): Promise<void> {
    const key = keyOf(random.below(KEYS));
    const { sequence = 0 } = (await this.#db.getEntry(key)) ?? {};
    try {
      const { version } = await this.#db.put(key, name, { if: { sequence } });
      this.conditional.push({ key, after: sequence, version });
      this.wrote(key, version, name);
    } catch (error) {
      expect(error).toMatchObject({ code: "CONDITION_FAILED" });
    }
  }

  wrote(key: string, version: number, value: string): void {
    this.all.push({ key, version });
    if (version > (this.newest.get(key)?.version ?? 0)) this.newest.set(key, { version, value });
  }
}

test.each(seeds(60))(
  "what has the larger version is seen, whatever runs at once (seed %i)",
  async (seed) => {
    const random = new Random(seed);
    const db = await Database.open("/db", {
      ...TINY_SETTINGS,
      fs: new MemoryFileSystem(),
      background: "inline",
    });
    const writers = new Writers(db);
    let isOver = false;
    const write = async (name: string) => {
      for (let i = 0; !isOver; i++) {
        const value = `${name}${i}`.padEnd(50, ".");
        if (random.chance(50)) await writers.putIfSame(random, value);
        else await writers.put(random, value);
        if (random.chance(10)) await new Promise(setImmediate);
        if (random.chance(2)) await db.compact();
        if (random.chance(2)) await db.flush();
      }
    };
    const count = async () => {
      for (; !isOver; counted++) await db.increment("counter");
    };
    let counted = 0;
    const busy = [write("a"), write("b"), count()];
    for (let i = 0; i < 6; i++) {
      const first = random.below(KEYS);
      const pairs = Array.from(
        { length: 1 + random.below(KEYS - first) },
        (_, at): Pair => [keyOf(first + at), `ingest${i}`.padEnd(50, ".")],
      );
      const snapshot = await db.snapshot();
      const before = await Array.fromAsync(snapshot.scan());
      const { version } = await db.ingest(pairs);
      for (const [key, value] of pairs) writers.wrote(String(key), version, String(value));
      expect(await Array.fromAsync(snapshot.scan())).toEqual(before);
      await snapshot.close();
    }
    isOver = true;
    await Promise.all(busy);
    for (const [key, { version, value }] of writers.newest) {
      const entry = await db.getEntry(key);
      expect(entry && Buffer.from(entry.value).toString()).toBe(value);
      expect(entry?.sequence).toBe(version);
    }
    for (const { key, after, version } of writers.conditional) {
      const between = writers.all.filter(
        (other) => other.key === key && other.version > after && other.version < version,
      );
      expect(between).toEqual([]);
    }
    expect((await db.increment("counter", 0)).value).toBe(BigInt(counted));
    expect((await db.verify()).problems).toEqual([]);
    await db.close();
  },
);

test("an ingest whose sequence was reached meanwhile is written once more", async () => {
  const fs = new MemoryFileSystem();
  const engine = await openEngine("/db", { ...TINY_SETTINGS, fs, background: "inline" });
  const retention = { skip: () => {} } as unknown as ConstructorParameters<
    typeof Ingests
  >[0]["retention"];
  const ingests = new Ingests({ ...engine, retention, sequencesAhead: 3 });
  const { commits, reads } = engine;
  const put = (key: string) => {
    commits.begin(1, key.length);
    commits.add(1, Buffer.from(key), Buffer.from(""));
    return commits.end("none");
  };
  async function* source(): AsyncGenerator<readonly Pair[]> {
    yield Array.from({ length: 200 }, (_, i): Pair => [`p${String(i).padStart(3, "0")}`, `${i}`]);
    for (let i = 0; i < 20; i++) await put("other");
  }
  const { version } = await ingests.run(source(), {}, KeyMapping.DEFAULT);
  expect(version).toBeGreaterThan(20);
  expect(commits.visibleSequence).toBe(version);
  for (const i of ["000", "199"]) {
    const entry = await reads.getEntry(Buffer.from(`p${i}`), version);
    expect(entry?.sequence).toBe(version);
    expect(await reads.get(Buffer.from(`p${i}`), version - 1)).toBeUndefined();
  }
  const named = engine.tree.version;
  await engine.close();
  const tables = (await fs.list("/db")).filter((name) => name.endsWith(".table"));
  expect(tables.length).toBe([0, 1, 2, 3, 4, 5, 6].flatMap((level) => named.files(level)).length);
});
