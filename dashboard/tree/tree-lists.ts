/** Beside the picture: what is moving now, what has moved lately, and all tables as a table. */
import type { TreePicture } from "../data/admin-types.ts";
import { byId, element, panel, setText } from "../page/dom.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMicroseconds,
  formatShare,
} from "../text/format.ts";
import { brickName, taskName } from "./words.ts";

const RECENT_MAX = 8;

export function showTasks({ running, recent }: TreePicture, now = Date.now()): void {
  const items = running.map((task) => {
    const { bytes_done, bytes_total } = task;
    const share = bytes_total === 0 ? 0 : Math.min(1, bytes_done / bytes_total);
    const name = taskName(task);
    const bar = element("progress", { value: share, max: 1, "aria-label": name });
    const note = `${formatShare(share)} of ${formatBytes(bytes_total)}`;
    return element(
      "li",
      {},
      element("span", {}, name),
      element("span", { class: "note" }, note),
      bar,
    );
  });
  const idle = element("li", { class: "empty" }, "All is at rest.");
  panel("tasks-running").replaceChildren(...(items.length === 0 ? [idle] : items));
  const past = recent
    .toSorted((a, b) => b.ended_at - a.ended_at)
    .slice(0, RECENT_MAX)
    .map((task) => {
      const note = `${formatBytes(task.bytes)} in ${formatMicroseconds(task.duration_ms * 1000)}, ${formatDuration(now - task.ended_at)} ago`;
      return element(
        "li",
        {},
        element("span", {}, taskName(task)),
        element("span", { class: "note" }, note),
      );
    });
  const nothing = element("li", { class: "empty" }, "Nothing has moved yet.");
  panel("tasks-recent").replaceChildren(...(past.length === 0 ? [nothing] : past));
}

/** The table is made only while it is open: it may have thousands of rows. */
export class TreeTable {
  readonly #details = byId("tree-table", HTMLDetailsElement);
  #picture: TreePicture | undefined;
  #shown: TreePicture["version"] | undefined;

  constructor() {
    this.#details.addEventListener("toggle", () => this.#show());
  }

  update(picture: TreePicture): void {
    this.#picture = picture;
    const tables = picture.levels.reduce((sum, level) => sum + level.tables_total, 0);
    setText(panel("tree-count"), `${formatCount(tables)} tables`);
    this.#show();
  }

  #show(): void {
    const picture = this.#picture;
    if (picture === undefined || !this.#details.open || this.#shown === picture.version) return;
    this.#shown = picture.version;
    const rows = picture.levels.flatMap(({ level, tables }) =>
      tables.map((brick) => {
        const head = element("th", { scope: "row" }, brickName(brick));
        const texts = [
          `L${level}`,
          formatBytes(brick.bytes),
          formatCount(brick.entries),
          formatCount(brick.tombstones),
          brick.smallest,
          brick.largest,
        ];
        return element("tr", {}, head, ...texts.map((text) => element("td", {}, text)));
      }),
    );
    panel("tree-table-body").replaceChildren(...rows);
  }
}
