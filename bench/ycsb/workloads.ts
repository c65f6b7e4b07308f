/** YCSB's core workloads A to F, over whatever can read, write and scan numbered records. */
import { randomNumbers } from "../support/keys.ts";
import { scrambled, zipfian } from "./choosers.ts";

/** Ten fields of a hundred bytes; an update writes all of them. */
export const RECORD_BYTES = 1000;
export const IN_FLIGHT = 32;
const SCAN_MAX = 100;

export interface Records {
  /** Whether the record was there. */
  read(record: number): Promise<boolean> | boolean;
  update(record: number): Promise<unknown>;
  insert(record: number, indexed: boolean): Promise<unknown>;
  /** Reads `count` records from this one's key on. */
  scan(record: number, count: number): Promise<unknown>;
}

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly read: number;
  readonly update: number;
  readonly insert: number;
  readonly scan: number;
  readonly readModifyWrite: number;
  readonly chooses: "zipfian" | "latest";
}

const NONE = {
  read: 0,
  update: 0,
  insert: 0,
  scan: 0,
  readModifyWrite: 0,
  chooses: "zipfian",
} as const;

export const WORKLOADS: readonly Workload[] = [
  { ...NONE, name: "A", what: "half reads, half updates", read: 0.5, update: 0.5 },
  { ...NONE, name: "B", what: "95 % reads, 5 % updates", read: 0.95, update: 0.05 },
  { ...NONE, name: "C", what: "reads", read: 1 },
  {
    ...NONE,
    name: "D",
    what: "95 % reads of the latest, 5 % inserts",
    read: 0.95,
    insert: 0.05,
    chooses: "latest",
  },
  { ...NONE, name: "E", what: "95 % scans of 1 to 100, 5 % inserts", scan: 0.95, insert: 0.05 },
  {
    ...NONE,
    name: "F",
    what: "half reads, half read-modify-writes",
    read: 0.5,
    readModifyWrite: 0.5,
  },
];

/** How often a caller may go on without waiting before the event loop gets a turn. */
const YIELD_EVERY = 100;

export class WorkloadRunner {
  readonly #records: Records;
  readonly #loaded: number;
  /** The next record to insert. */
  #next: number;
  /** Records below this are there: those loaded, and those whose inserts were answered. */
  #present: number;
  /** Inserts that were answered before one of a lower number. */
  readonly #early = new Set<number>();
  readonly #random: () => number;
  readonly #rank: () => number;

  constructor(records: Records, loaded: number) {
    this.#records = records;
    this.#loaded = loaded;
    this.#next = loaded;
    this.#present = loaded;
    const next = randomNumbers(17);
    this.#random = () => next(2 ** 30) / 2 ** 30;
    this.#rank = zipfian(loaded, this.#random);
  }

  /** Runs `count` operations, `IN_FLIGHT` at a time. */
  async run(workload: Workload, count: number): Promise<void> {
    let left = count;
    const caller = async () => {
      for (let turn = 0; left > 0; turn++) {
        left--;
        await this.#operate(workload);
        if (turn % YIELD_EVERY === 0) await new Promise(setImmediate);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  }

  async #operate(workload: Workload): Promise<void> {
    const records = this.#records;
    let share = this.#random();
    const takes = (part: number) => {
      share -= part;
      return share < 0;
    };
    if (takes(workload.read)) {
      const record = this.#choose(workload);
      if (!(await records.read(record))) throw new Error(`record ${record} is not there`);
    } else if (takes(workload.update)) {
      await records.update(this.#choose(workload));
    } else if (takes(workload.insert)) {
      await this.#insert(workload);
    } else if (takes(workload.scan)) {
      await records.scan(this.#choose(workload), 1 + Math.floor(this.#random() * SCAN_MAX));
    } else {
      const record = this.#choose(workload);
      await records.read(record);
      await records.update(record);
    }
  }

  /** As YCSB's acknowledged counter has it: a record is not read before it and all before it are in. */
  async #insert(workload: Workload): Promise<void> {
    const record = this.#next++;
    await this.#records.insert(record, workload.scan > 0);
    this.#early.add(record);
    while (this.#early.delete(this.#present)) this.#present++;
  }

  #choose({ chooses }: Workload): number {
    const rank = this.#rank();
    if (chooses === "zipfian") return scrambled(this.#loaded, rank);
    return Math.max(0, this.#present - 1 - rank);
  }
}
