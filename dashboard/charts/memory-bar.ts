/** How much of the memory budget is used, and by what: one bar, as long as the budget. */
import type { Sample } from "../data/admin-types.ts";
import { element, setText } from "../page/dom.ts";
import { formatBytes, formatShare } from "../text/format.ts";
import { MEMORY_LINES } from "./card-definitions.ts";

export class MemoryBar {
  readonly #text = element("p", { class: "bar-text" });
  readonly #parts: readonly HTMLElement[];

  constructor(host: HTMLElement) {
    this.#parts = MEMORY_LINES.map(({ color }) => {
      const part = element("span", { class: "bar-part" });
      part.style.backgroundColor = `var(--${color})`;
      return part;
    });
    host.append(
      element("div", { class: "bar", "aria-hidden": "true" }, ...this.#parts),
      this.#text,
    );
  }

  show(sample: Sample | undefined): void {
    if (sample === undefined) return;
    const { budget, memtables, tables, blocks, resident } = sample.memory;
    const used = memtables + tables + blocks;
    const whole = Math.max(budget, used, 1);
    MEMORY_LINES.forEach(({ reading }, index) => {
      const part = this.#parts[index];
      if (part !== undefined) part.style.width = `${((reading(sample) ?? 0) / whole) * 100}%`;
    });
    const share = budget === 0 ? "" : ` (${formatShare(used / budget)})`;
    const process = `; the process has ${formatBytes(resident)}`;
    setText(this.#text, `${formatBytes(used)} of ${formatBytes(budget)}${share}${process}`);
  }
}
