/** Random writes, several in flight at once, with flushes, compactions, scans and time between them. */
import assert from "node:assert";
import type { Database } from "../../src/engine/database.ts";
import { VarveError } from "../../src/errors.ts";
import { DURABILITIES, type Operation, type Scan } from "../../src/store.ts";
import type { Change, History } from "./history.ts";
import type { Life } from "./life.ts";

const KEYS = 60;
const IN_FLIGHT_MAX = 6;

/** All keys that are ever written: of several lengths, with shared prefixes, and bytes above 0x7f. */
export const ALL_KEYS: readonly string[] = Array.from({ length: KEYS }, (_, i) =>
  i % 3 === 0 ? `k${i}` : `key:${i % 7}:\u00ff${i}`,
);

export class Workload {
  readonly #life: Life;
  readonly #db: Database;
  readonly #history: History;
  readonly #inFlight = new Set<Promise<void>>();
  #scan: Scan | undefined;
  #failure: unknown;

  constructor(life: Life, db: Database, history: History) {
    this.#life = life;
    this.#db = db;
    this.#history = history;
  }

  /** All writes are answered when it resolves, unless the life has ended first. */
  async run(actions: number): Promise<void> {
    const { random } = this.#life;
    for (let i = 0; i < actions; i++) {
      await this.#act();
      for (let turns = random.below(6); turns > 0; turns--) await this.#life.turn();
      if (this.#life.ended) break;
    }
    await this.#life.run(Promise.all([...this.#inFlight, this.#scan?.return()]));
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #act(): Promise<void> {
    const { random, clock } = this.#life;
    const dice = random.below(1000);
    if (dice < 900) {
      for (let writes = 1 + random.below(3); writes > 0; writes--) this.#write();
    } else if (dice < 915) this.#track(this.#flush());
    else if (dice < 918) this.#track(this.#db.compact());
    else if (dice < 960) clock.advance(random.below(150));
    else await this.#toggleScan();
    if (this.#inFlight.size > IN_FLIGHT_MAX) await this.#life.run(Promise.race(this.#inFlight));
  }

  #write(): void {
    const { random } = this.#life;
    const count = random.chance(60) ? 1 : 1 + random.below(12);
    const changes = Array.from({ length: count }, () => this.#change());
    const durability = random.pick(DURABILITIES);
    const batch = this.#history.submit(changes, durability);
    const written = this.#db.batch(changes.map(operationOf), { durability }).then(
      ({ version }) => this.#history.acknowledge(batch, version),
      (error: unknown) => {
        batch.refused = isRefusal(error);
        if (!batch.refused) throw error;
      },
    );
    this.#track(written);
  }

  #change(): Change {
    const { random } = this.#life;
    const key = random.pick(ALL_KEYS);
    const dice = random.below(100);
    if (dice < 22) return { type: "delete", key };
    if (dice < 25) {
      const [first, last] = [key, random.pick(ALL_KEYS)].sort() as [string, string];
      return { type: "deleteRange", key: first, end: random.chance(30) ? last : `${first}~` };
    }
    const length = random.chance(2) ? 600 : random.below(60);
    const value = Buffer.from(random.bytes(length)).toString("latin1");
    if (dice >= 50) return { type: "put", key, value };
    if (!this.#history.expires) return { type: "append", key, value: value.slice(0, 8) };
    return { type: "put", key, value, expires: random.chance(70) ? "late" : "early" };
  }

  async #flush(): Promise<void> {
    const { sequence } = this.#db.stats();
    await this.#db.flush();
    this.#history.settle(sequence);
  }

  /** A scan that stays open keeps tables alive that no version names any more. */
  async #toggleScan(): Promise<void> {
    const scan = this.#scan;
    this.#scan = undefined;
    if (scan !== undefined) return void (await this.#life.run(scan.return()));
    this.#scan = this.#db.scan();
    await this.#life.run(this.#scan.nextMany(5));
  }

  /** What fails before the end of the life is a defect; after it, everything does. */
  #track(promise: Promise<void>): void {
    const tracked = promise
      .catch((error: unknown) => {
        if (!this.#life.ended) this.#failure ??= error;
      })
      .finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
  }
}

const FAR_FUTURE_MS = 2 ** 42;

function operationOf(change: Change): Operation {
  const key = Buffer.from(change.key, "latin1");
  switch (change.type) {
    case "delete":
      return { type: "delete", key };
    case "deleteRange":
      return { type: "deleteRange", gte: key, lt: Buffer.from(change.end, "latin1") };
    case "append": {
      const operand = Buffer.from(change.value, "latin1");
      return { type: "merge", key, operator: "append", operand };
    }
    case "put": {
      const put = { type: "put" as const, key, value: Buffer.from(change.value, "latin1") };
      if (change.expires === undefined) return put;
      return { ...put, expiresAt: change.expires === "late" ? FAR_FUTURE_MS : 1 };
    }
  }
}

function isRefusal(error: unknown): boolean {
  assert(error instanceof VarveError, String(error));
  return error.code === "OVERLOADED" || error.code === "CLOSED";
}
