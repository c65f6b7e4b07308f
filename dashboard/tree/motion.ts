/**
 * What of the picture is on the move: new bricks settle, and bricks that are gone fade. Times are those of the
 * animation clock, in milliseconds.
 */
import type { PlacedBrick, TreeLayout } from "./layout.ts";

const SETTLE_MS = 900;
const FADE_MS = 500;
const FALL = 26;

export interface Pose {
  /** Pixels above its place. */
  readonly lift: number;
  readonly opacity: number;
}

const AT_REST: Pose = { lift: 0, opacity: 1 };

export class Motion {
  readonly #arrivals = new Map<number, number>();
  #leaving: { readonly brick: PlacedBrick; readonly at: number }[] = [];
  #present = new Map<number, PlacedBrick>();

  /** Takes note of what has come and gone since the layout before. Where `isStill`, everything is at rest at once. */
  update(layout: TreeLayout, now: number, isStill: boolean): void {
    const before = this.#present;
    this.#present = new Map();
    for (const placed of layout.bands.flatMap((band) => band.bricks)) {
      // Bricks that stand for several tables come and go by how they are joined; that is no event.
      this.#present.set(placed.brick.number, placed);
      const isNew = before.get(placed.brick.number)?.level !== placed.level;
      if (isNew && !isStill) {
        const delay = before.size === 0 ? placed.level * 60 + placed.brick.x0 * 240 : 0;
        this.#arrivals.set(placed.brick.number, now + delay);
      }
    }
    this.#leaving = this.#leaving.filter(({ at }) => now - at < FADE_MS);
    if (isStill) return;
    for (const [number, brick] of before) {
      if (!this.#present.has(number)) this.#leaving.push({ brick, at: now });
    }
  }

  /** Whether something is still moving. */
  isBusy(now: number): boolean {
    for (const [number, at] of this.#arrivals) {
      if (now - at > SETTLE_MS) this.#arrivals.delete(number);
    }
    return this.#arrivals.size > 0 || this.#leaving.some(({ at }) => now - at < FADE_MS);
  }

  pose(number: number, now: number): Pose {
    const at = this.#arrivals.get(number);
    if (at === undefined || now - at > SETTLE_MS) return AT_REST;
    const progress = Math.max(0, (now - at) / SETTLE_MS);
    const left = (1 - progress) ** 3;
    return { lift: FALL * left, opacity: Math.min(1, progress * 2.5) };
  }

  /** Bricks that are gone, and how much of them is to be seen still. */
  leaving(now: number): { readonly brick: PlacedBrick; readonly opacity: number }[] {
    return this.#leaving.map(({ brick, at }) => ({
      brick,
      opacity: Math.max(0, 1 - (now - at) / FADE_MS),
    }));
  }
}
