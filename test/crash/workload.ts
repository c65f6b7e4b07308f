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
    const changes = Array.from({ length: count }, (): Change => {
      const key = random.pick(ALL_KEYS);
      if (random.chance(25)) return { key, value: undefined };
      const length = random.chance(2) ? 600 : random.below(60);
      return { key, value: Buffer.from(random.bytes(length)).toString("latin1") };
    });
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

function operationOf({ key, value }: Change): Operation {
  const bytes = Buffer.from(key, "latin1");
  return value === undefined
    ? { type: "delete", key: bytes }
    : { type: "put", key: bytes, value: Buffer.from(value, "latin1") };
}

function isRefusal(error: unknown): boolean {
  assert(error instanceof VarveError, String(error));
  return error.code === "OVERLOADED" || error.code === "CLOSED";
}
