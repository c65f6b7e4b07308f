/**
 * What is asked of the database: a chart of the rates of all operations, a chart of the latency of one, and the table
 * that has both for each operation and says which line is whose.
 */
import type { OperationName, Sample } from "../data/admin-types.ts";
import { columnsOf, operationsIn } from "../data/sample-series.ts";
import { element, panel, setText } from "../page/dom.ts";
import { formatMicroseconds, formatRate } from "../text/format.ts";
import { lineMarker } from "./line-marker.ts";
import { type Line, TimeChart } from "./time-chart.ts";
import type { TimeCursor } from "./time-cursor.ts";

const COLORS = 6;
const DASHES = [undefined, [8, 4], [2, 3], [10, 3, 2, 3]] as const;

const LATENCY_LINES: readonly Line[] = [
  { label: "p50", color: "line-1", dash: [2, 3] },
  { label: "p99", color: "line-3", dash: [8, 4] },
  { label: "p99.9", color: "line-4" },
];

interface Row {
  readonly root: HTMLTableRowElement;
  readonly cells: readonly HTMLElement[];
  readonly choice: HTMLInputElement;
}

export class LoadPanel {
  readonly #cursor: TimeCursor;
  readonly #rates: TimeChart;
  readonly #latency: TimeChart;
  readonly #body = panel("operations-body");
  readonly #rows = new Map<OperationName, Row>();
  #samples: readonly Sample[] = [];
  #names: readonly OperationName[] = [];
  /** Whose latency is drawn; chosen by the page until somebody chooses. */
  #chosen: OperationName | undefined;
  #isChosenByHand = false;

  constructor(cursor: TimeCursor) {
    this.#cursor = cursor;
    const rateStyle = { format: formatRate, topMin: 10 };
    const latencyStyle = { format: formatMicroseconds, isLogarithmic: true };
    this.#rates = new TimeChart(panel("rate-chart"), rateStyle, cursor);
    this.#latency = new TimeChart(panel("latency-chart"), latencyStyle, cursor);
    const legend = panel("latency-legend");
    for (const line of LATENCY_LINES) {
      legend.append(element("li", {}, lineMarker(line), line.label));
    }
  }

  update(samples: readonly Sample[]): void {
    this.#samples = samples;
    this.#names = operationsIn(samples);
    this.#ensureRows();
    if (!this.#isChosenByHand) this.#chosen = busiest(samples, this.#names);
    const readings = this.#names.map((name) => (s: Sample) => s.operations[name]?.rate ?? 0);
    this.#rates.show(this.#names.map(lineOf), columnsOf(samples, readings));
    this.#showLatency();
  }

  showSample(sample: Sample | undefined): void {
    for (const [name, { cells }] of this.#rows) {
      const operation = sample?.operations[name];
      const texts = [
        formatRate(operation?.rate ?? 0),
        operation === undefined ? "–" : formatMicroseconds(operation.p50),
        operation === undefined ? "–" : formatMicroseconds(operation.p99),
        operation === undefined ? "–" : formatMicroseconds(operation.p999),
        operation === undefined || operation.errors === 0 ? "none" : formatRate(operation.errors),
      ];
      texts.forEach((text, index) => {
        const cell = cells[index];
        if (cell !== undefined) setText(cell, text);
      });
    }
  }

  rebuild(): void {
    this.#rates.rebuild();
    this.#latency.rebuild();
  }

  #showLatency(): void {
    const name = this.#chosen;
    setText(panel("latency-of"), name ?? "operations");
    for (const [rowName, { choice, root }] of this.#rows) {
      choice.checked = rowName === name;
      root.classList.toggle("is-chosen", rowName === name);
    }
    if (name === undefined) return;
    const columns = columnsOf(this.#samples, [
      (s) => s.operations[name]?.p50 || null,
      (s) => s.operations[name]?.p99 || null,
      (s) => s.operations[name]?.p999 || null,
    ]);
    this.#latency.show(LATENCY_LINES, columns);
  }

  /** A new operation changes the colours of those behind it, so all rows are made anew. */
  #ensureRows(): void {
    const isSame =
      this.#names.length === this.#rows.size && this.#names.every((name) => this.#rows.has(name));
    if (isSame) return;
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#names.forEach((name, index) => {
      const row = this.#makeRow(name, lineOf(name, index));
      this.#rows.set(name, row);
      this.#body.append(row.root);
    });
    this.showSample(this.#cursor.sample);
  }

  #makeRow(name: OperationName, line: Line): Row {
    const choice = element("input", {
      type: "radio",
      name: "latency-of",
      value: name,
      "aria-label": `Draw the latency of ${name}`,
    });
    choice.addEventListener("change", () => {
      this.#chosen = name;
      this.#isChosenByHand = true;
      this.#showLatency();
    });
    const cells = Array.from({ length: 5 }, () => element("td"));
    const label = element("label", {}, choice, lineMarker(line), name);
    const head = element("th", { scope: "row" }, label);
    return { root: element("tr", { "data-operation": name }, head, ...cells), cells, choice };
  }
}

function lineOf(name: OperationName, index: number): Line {
  const dash = DASHES[Math.floor(index / COLORS) + (index % 2)];
  return {
    label: name,
    color: `line-${(index % COLORS) + 1}`,
    ...(dash === undefined ? {} : { dash }),
  };
}

function busiest(
  samples: readonly Sample[],
  names: readonly OperationName[],
): OperationName | undefined {
  const total = (name: OperationName) =>
    samples.reduce((sum, { operations }) => sum + (operations[name]?.rate ?? 0), 0);
  return names.toSorted((a, b) => total(b) - total(a))[0];
}
