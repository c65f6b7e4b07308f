/** A small chart with its table: the names of its lines, and their values at the moment that is looked at. */
import type { Sample } from "../data/admin-types.ts";
import { columnsOf, stackColumns } from "../data/sample-series.ts";
import { element, setText } from "../page/dom.ts";
import { term } from "../page/tooltip.ts";
import type { CardDefinition } from "./card-definitions.ts";
import { lineMarker } from "./line-marker.ts";
import { TimeChart } from "./time-chart.ts";
import type { TimeCursor } from "./time-cursor.ts";

export class ChartCard {
  readonly root: HTMLElement;
  /** Between title and chart, for what else a card has to say. */
  readonly extra = element("div", { class: "card-extra" });
  readonly #definition: CardDefinition;
  readonly #chart: TimeChart;
  readonly #cells: readonly HTMLElement[];

  constructor(definition: CardDefinition, cursor: TimeCursor) {
    const { id, title, lines } = definition;
    const host = element("div", {
      class: "chart",
      role: "img",
      "aria-label": `${title} over the last ten minutes; the table below has the values`,
    });
    this.#definition = definition;
    this.#cells = lines.map(() => element("td", {}, "–"));
    const rows = lines.map((line, index) => {
      const name = line.term === undefined ? line.label : term(line.term, line.label);
      const head = element("th", { scope: "row" }, lineMarker(line), name);
      return element("tr", {}, head, this.#cells[index] ?? "");
    });
    const heading = element("h3", { id: `card-${id}` }, term(definition.term, title));
    const table = element("table", { class: "legend", "aria-labelledby": `card-${id}` });
    table.append(element("tbody", {}, ...rows));
    this.root = element(
      "section",
      { class: "card", "data-card": id },
      heading,
      this.extra,
      host,
      table,
    );
    this.#chart = new TimeChart(host, definition, cursor);
  }

  update(samples: readonly Sample[]): void {
    const { lines, isStacked = false } = this.#definition;
    const columns = columnsOf(
      samples,
      lines.map(({ reading }) => reading),
    );
    if (!isStacked) {
      this.#chart.show(lines, columns);
      return;
    }
    // The highest is drawn first, so that each lower one covers its part.
    const { times, values } = stackColumns(columns);
    this.#chart.show(lines.toReversed(), { times, values: values.toReversed() });
  }

  showSample(sample: Sample | undefined): void {
    const { lines, format, missing = "–" } = this.#definition;
    lines.forEach(({ reading }, index) => {
      const value = sample === undefined ? null : reading(sample);
      const cell = this.#cells[index];
      if (cell !== undefined) setText(cell, value === null ? missing : format(value));
    });
  }

  rebuild(): void {
    this.#chart.rebuild();
  }
}
