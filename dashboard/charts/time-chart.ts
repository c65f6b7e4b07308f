/** A chart over the last ten minutes, with the cursor in step with that of all others. */

import type { Columns } from "../data/sample-series.ts";
import { SPAN_MS } from "../data/sample-series.ts";
import { formatClock } from "../text/format.ts";
import uPlot from "../vendor/uplot.js";
import type { TimeCursor } from "./time-cursor.ts";

export interface Line {
  readonly label: string;
  /** Name of the style sheet's colour, without the dashes. */
  readonly color: string;
  /** Lengths of strokes and gaps, so that lines are told apart without colour. */
  readonly dash?: readonly number[];
  /** The area below is filled. */
  readonly isFilled?: boolean;
}

export interface ChartStyle {
  readonly format: (value: number) => string;
  readonly isLogarithmic?: boolean;
  /** Values are bytes. */
  readonly isBinary?: boolean;
  /** Top of the scale at least, so that a quiet chart does not magnify noise. */
  readonly topMin?: number;
  readonly topMax?: number;
}

const SPAN_MIN_MS = 120_000;
const SYNC_KEY = "varve";
/** Steps of 1, 2, 4, … bytes, so that marks are round in units of 1024. */
const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

export class TimeChart {
  readonly #host: HTMLElement;
  readonly #style: ChartStyle;
  readonly #cursor: TimeCursor;
  #lines: readonly Line[] = [];
  #columns: Columns = { times: [], values: [] };
  #plot: uPlot | undefined;

  constructor(host: HTMLElement, style: ChartStyle, cursor: TimeCursor) {
    this.#host = host;
    this.#style = style;
    this.#cursor = cursor;
    new ResizeObserver(() => this.#resize()).observe(host);
    cursor.onChange((time, isByHand) => {
      if (isByHand) this.#moveCursor(time);
    });
    host.addEventListener("mouseleave", () => cursor.point(undefined));
  }

  show(lines: readonly Line[], columns: Columns): void {
    const isSame =
      lines.length === this.#lines.length &&
      lines.every((line, index) => line.label === this.#lines[index]?.label);
    this.#lines = lines;
    this.#columns = columns;
    if (this.#plot === undefined || !isSame) this.rebuild();
    else this.#plot.setData(this.#data());
    if (this.#cursor.time !== undefined && !this.#host.matches(":hover")) {
      this.#moveCursor(this.#cursor.time);
    }
  }

  /** With the colours as they are now. */
  rebuild(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#lines.length === 0 || this.#host.clientWidth === 0) return;
    this.#plot = new uPlot(this.#options(), this.#data(), this.#host);
  }

  #data(): uPlot.AlignedData {
    return [this.#columns.times, ...this.#columns.values];
  }

  #size(): { width: number; height: number } {
    return { width: this.#host.clientWidth, height: this.#host.clientHeight };
  }

  #resize(): void {
    if (this.#plot === undefined) this.rebuild();
    else if (this.#host.clientWidth > 0) this.#plot.setSize(this.#size());
  }

  #moveCursor(time: number | undefined): void {
    const plot = this.#plot;
    if (plot === undefined) return;
    const left = time === undefined ? -10 : plot.valToPos(time / 1000, "x");
    plot.setCursor({ left, top: time === undefined ? -10 : 4 }, false);
  }

  #options(): uPlot.Options {
    const computed = getComputedStyle(this.#host);
    const color = (name: string) => computed.getPropertyValue(`--${name}`).trim();
    const { format, isLogarithmic = false, isBinary = false, topMin = 0, topMax } = this.#style;
    const axis: uPlot.Axis = {
      stroke: color("ink-faint"),
      grid: { stroke: color("rule"), width: 1 },
      ticks: { show: false },
      font: `11px ${computed.fontFamily}`,
    };
    return {
      ...this.#size(),
      legend: { show: false },
      padding: [8, 10, 0, 0],
      cursor: {
        sync: { key: SYNC_KEY, setSeries: false },
        drag: { x: false, y: false },
        y: false,
        points: { size: 7 },
      },
      scales: {
        x: { time: true, range: (_plot, min, max) => [spanStart(min, max), max] },
        y: isLogarithmic
          ? { distr: 3 }
          : { range: (_plot, _min, max) => [0, topMax ?? Math.max(topMin, max * 1.08)] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: 90,
          values: (_plot, ticks) => clockMarks(ticks),
        },
        {
          ...axis,
          size: 62,
          space: 30,
          values: (_plot, ticks) => ticks.map((tick) => (tick === null ? "" : format(tick))),
          ...(isLogarithmic
            ? { filter: powersOfTen, grid: { ...axis.grid, filter: powersOfTen } }
            : {}),
          ...(isBinary ? { incrs: BINARY_STEPS } : {}),
        },
      ],
      series: [{}, ...this.#lines.map((line) => seriesOf(line, color))],
      hooks: {
        setCursor: [
          (plot) => {
            // Where another chart is pointed at, it tells the time itself.
            if (!this.#host.matches(":hover")) return;
            const row = plot.cursor.idx;
            const time = row === null || row === undefined ? undefined : plot.data[0][row];
            this.#cursor.point(time === undefined ? undefined : time * 1000);
          },
        ],
      },
    };
  }
}

/** Minutes, and seconds where marks are closer than that. */
function clockMarks(ticks: readonly number[]): string[] {
  const digits = ticks.every((tick) => tick % 60 === 0) ? 5 : 8;
  return ticks.map((tick) => formatClock(tick * 1000).slice(0, digits));
}

/** As far back as there are samples, though two minutes at least and ten at most. In seconds. */
function spanStart(first: number, last: number): number {
  return Math.max(last - SPAN_MS / 1000, Math.min(first, last - SPAN_MIN_MS / 1000));
}

function seriesOf(
  { label, color: name, dash, isFilled = false }: Line,
  color: (name: string) => string,
): uPlot.Series {
  return {
    label,
    stroke: color(name),
    width: isFilled ? 1 : 1.75,
    points: { show: false },
    ...(dash === undefined ? {} : { dash: [...dash] }),
    ...(isFilled ? { fill: color(name) } : {}),
  };
}

/** Of a logarithmic axis only 1, 10, 100, … have room for a label. */
function powersOfTen(_plot: uPlot, splits: number[]): (number | null)[] {
  return splits.map((split) => (Number.isInteger(Math.log10(split)) ? split : null));
}
