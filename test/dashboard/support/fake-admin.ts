/**
 * A made-up server to look at: a tree that is written to, flushed and compacted as time goes by, and the samples of its
 * last ten minutes. Everything comes of a seed and of how often `step` was called.
 */
import type {
  Brick,
  FinishedTask,
  RunningTask,
  Sample,
  TreePicture,
} from "../../../dashboard/data/admin-types.ts";
import { sampleOf } from "./fake-samples.ts";

const MIB = 1024 * 1024;
const LEVEL_FILES = [3, 5, 14, 46, 150] as const;
const CAPACITY = 16 * MIB;

export class FakeAdmin {
  readonly samples: Sample[] = [];
  readonly finished: FinishedTask[] = [];
  running: RunningTask[] = [];
  levels: Brick[][];
  version = 1;
  activeBytes = 5 * MIB;
  #nextNumber = 1;
  #nextTask = 1;
  #second = 0;
  #seed: number;

  constructor(seed: number, now: number) {
    this.#seed = seed;
    this.levels = Array.from({ length: 7 }, (_, level) =>
      this.#makeLevel(level, LEVEL_FILES[level] ?? 0),
    );
    for (let ago = 590; ago > 0; ago--) this.#addSample(now - ago * 1000);
  }

  /** One second goes by. */
  step(now: number): void {
    this.activeBytes += (1.4 + this.random()) * MIB;
    this.running = this.running.map((task) => ({
      ...task,
      bytes_done: Math.min(task.bytes_total, task.bytes_done + task.bytes_total / 5),
    }));
    const [done] = this.running.filter(({ bytes_done, bytes_total }) => bytes_done >= bytes_total);
    if (done !== undefined) this.#finish(done, now);
    const isFlushing = this.running.some(({ kind }) => kind === "flush");
    if (this.activeBytes > CAPACITY && !isFlushing)
      this.#begin("flush", null, 0, [], CAPACITY, now);
    const isCompacting = this.running.some(({ kind }) => kind === "compaction");
    if (!isCompacting) this.#compact(now);
    this.#addSample(now);
  }

  tree(): TreePicture {
    return {
      version: this.version,
      levels: this.levels.map((tables, level) => ({
        level,
        bytes: bytesOf(tables),
        target_bytes: level === 0 ? null : 16 * MIB * 4 ** level,
        tables,
        tables_total: tables.reduce((sum, { count }) => sum + count, 0),
      })),
      memtables: {
        active: {
          entries: Math.round(this.activeBytes / 180),
          bytes: Math.min(this.activeBytes, CAPACITY),
          capacity: CAPACITY,
        },
        waiting: this.running.filter(({ kind }) => kind === "flush").length,
      },
      running: this.running,
      recent: this.finished,
    };
  }

  /** 0 to 1, the same for the same seed. */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }

  #addSample(time: number): void {
    this.samples.push(sampleOf(time, this.#second++, this));
    if (this.samples.length > 600) this.samples.shift();
  }

  #compact(now: number): void {
    const level = this.levels[0]!.length >= 5 ? 0 : 1 + Math.floor(this.random() * 3);
    const sources =
      level === 0
        ? this.levels[0]!
        : this.levels[level]!.slice(0, 1 + Math.floor(this.random() * 2));
    const [x0, x1] = spanOf(sources);
    const targets = this.levels[level + 1]!.filter((brick) => brick.x0 < x1 && x0 < brick.x1);
    const inputs = [...sources, ...targets];
    const numbers = inputs.map(({ number }) => number);
    this.#begin("compaction", level, level + 1, numbers, bytesOf(inputs), now);
  }

  #begin(
    kind: RunningTask["kind"],
    source: number | null,
    target: number,
    tables: number[],
    bytes: number,
    now: number,
  ): void {
    const id = this.#nextTask++;
    const task = { id, kind, source_level: source, target_level: target, tables };
    this.running = [
      ...this.running,
      { ...task, bytes_total: bytes, bytes_done: 0, started_at: now },
    ];
  }

  #finish(task: RunningTask, now: number): void {
    this.running = this.running.filter(({ id }) => id !== task.id);
    const target = task.target_level;
    const isInput = ({ number }: Brick) => task.tables.includes(number);
    const inputs = this.levels.flat().filter(isInput);
    this.levels = this.levels.map((tables) => tables.filter((brick) => !isInput(brick)));
    if (task.kind === "flush") {
      this.activeBytes = 0;
      this.levels[0]!.push(
        this.#brick(0.02 + this.random() * 0.05, 0.9 + this.random() * 0.1, CAPACITY / 4),
      );
    } else {
      const [x0, x1] = spanOf(inputs);
      const count = Math.max(1, Math.round(inputs.length * 0.95));
      const width = (x1 - x0) / count;
      for (let i = 0; i < count; i++) {
        const bytes = (bytesOf(inputs) / count) * (0.75 + this.random() * 0.4);
        this.levels[target]!.push(this.#brick(x0 + i * width, x0 + (i + 1) * width, bytes));
      }
    }
    this.version++;
    const { id, kind, source_level, bytes_total: bytes } = task;
    this.finished.push({
      id,
      kind,
      source_level,
      target_level: target,
      bytes,
      ended_at: now,
      duration_ms: now - task.started_at,
    });
    if (this.finished.length > 20) this.finished.shift();
  }

  #makeLevel(level: number, files: number): Brick[] {
    if (level === 0) {
      return Array.from({ length: files }, () =>
        this.#brick(this.random() * 0.1, 0.85 + this.random() * 0.15, 4 * MIB),
      );
    }
    const widths = Array.from({ length: files }, () => 0.3 + this.random());
    const total = widths.reduce((sum, width) => sum + width, 0);
    let x = 0;
    return widths.map((width) => {
      const x0 = x;
      x = Math.min(1, x + width / total);
      return this.#brick(x0, x, (3 + this.random() * 5) * MIB);
    });
  }

  #brick(x0: number, x1: number, bytes: number): Brick {
    const entries = Math.round(bytes / 170);
    return {
      number: this.#nextNumber++,
      bytes: Math.round(bytes),
      entries,
      tombstones: Math.round(entries * this.random() * 0.12),
      smallest: `orders/${Math.round(x0 * 1e8)
        .toString()
        .padStart(9, "0")}`,
      largest: `orders/${Math.round(x1 * 1e8 - 1)
        .toString()
        .padStart(9, "0")}`,
      x0,
      x1,
      count: 1,
    };
  }
}

export function bytesOf(tables: readonly Brick[]): number {
  return tables.reduce((sum, { bytes }) => sum + bytes, 0);
}

function spanOf(tables: readonly Brick[]): [number, number] {
  return [Math.min(...tables.map(({ x0 }) => x0)), Math.max(...tables.map(({ x1 }) => x1))];
}
