/**
 * The moment that all charts and their tables tell of: now, or one in the past that was pointed at in a chart or chosen
 * with the slider.
 */

import type { Sample } from "../data/admin-types.ts";
import { SPAN_MS, sampleAt } from "../data/sample-series.ts";
import { byId, setText } from "../page/dom.ts";
import { formatClock, formatDuration } from "../text/format.ts";

export class TimeCursor {
  readonly #slider = byId("look-back", HTMLInputElement);
  readonly #label = byId("look-back-time", HTMLElement);
  readonly #now = byId("look-back-now", HTMLButtonElement);
  readonly #listeners: ((time: number | undefined, isByHand: boolean) => void)[] = [];
  #samples: readonly Sample[] = [];
  #time: number | undefined;

  constructor() {
    this.#slider.addEventListener("input", () => {
      const secondsAgo = -Number(this.#slider.value);
      const newest = this.#samples.at(-1)?.time ?? Date.now();
      this.#set(secondsAgo === 0 ? undefined : newest - secondsAgo * 1000, true);
    });
    this.#now.addEventListener("click", () => this.#set(undefined, true));
  }

  /** `isByHand`: not by pointing into a chart, so that charts have to move their cursors. */
  onChange(listener: (time: number | undefined, isByHand: boolean) => void): void {
    this.#listeners.push(listener);
  }

  get time(): number | undefined {
    return this.#time;
  }

  get sample(): Sample | undefined {
    return sampleAt(this.#samples, this.#time);
  }

  update(samples: readonly Sample[]): void {
    this.#samples = samples;
    this.#show();
  }

  /** Milliseconds, or `undefined` for now. */
  point(time: number | undefined): void {
    if (time !== this.#time) this.#set(time, false);
  }

  #set(time: number | undefined, isByHand: boolean): void {
    this.#time = time;
    this.#show();
    for (const listener of this.#listeners) listener(time, isByHand);
  }

  #show(): void {
    const newest = this.#samples.at(-1)?.time;
    const agoMs = this.#time === undefined || newest === undefined ? 0 : newest - this.#time;
    const isNow = this.#time === undefined;
    const at = this.sample?.time;
    const text =
      at === undefined
        ? "now"
        : isNow
          ? `now, ${formatClock(at)}`
          : `${formatClock(at)}, ${formatDuration(agoMs)} ago`;
    setText(this.#label, text);
    this.#slider.setAttribute("aria-valuetext", text);
    this.#slider.value = String(-Math.min(agoMs, SPAN_MS) / 1000);
    this.#now.disabled = isNow;
  }
}
