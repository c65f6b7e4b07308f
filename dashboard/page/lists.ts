/** The tables of slow operations and of connections. */
import type { ConnectionsAnswer, SlowAnswer } from "../data/admin-types.ts";
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatMicroseconds,
} from "../text/format.ts";
import { element, panel, setText } from "./dom.ts";

const ROWS_MAX = 100;

export function showSlow(answer: SlowAnswer | undefined): void {
  if (answer === undefined) return;
  const { operations, threshold_ms } = answer;
  const rows = operations
    .toSorted((a, b) => b.time - a.time)
    .map(({ time, door, operation, key, duration_ms, error }) =>
      row(
        [formatClock(time), operation, door, key ?? "–", formatMicroseconds(duration_ms * 1000)],
        error ? "failed" : "answered",
      ),
    );
  setText(panel("slow-note"), `longer than ${threshold_ms} ms`);
  fill("slow-body", rows, 6, `Nothing has taken longer than ${threshold_ms} ms.`);
}

export function showConnections(answer: ConnectionsAnswer | undefined, now = Date.now()): void {
  if (answer === undefined) return;
  const { tcp, tcp_total, http_total } = answer;
  const rows = tcp
    .slice(0, ROWS_MAX)
    .map((peer) =>
      row([
        peer.peer,
        peer.client ?? "–",
        formatDuration(now - peer.since),
        formatCount(peer.in_flight),
        formatCount(peer.scans + peer.watches),
        formatBytes(peer.bytes_in),
        formatBytes(peer.bytes_out),
      ]),
    );
  const shown = rows.length < tcp_total ? `, the first ${rows.length} here` : "";
  const note = `${formatCount(tcp_total)} over TCP${shown}; ${formatCount(http_total)} over HTTP`;
  setText(panel("connections-note"), note);
  fill("connections-body", rows, 7, "No client is connected over TCP.");
}

function row(texts: readonly string[], last?: string): HTMLTableRowElement {
  const cells = [...texts, ...(last === undefined ? [] : [last])];
  return element("tr", {}, ...cells.map((text) => element("td", { title: text }, text)));
}

function fill(id: string, rows: readonly HTMLElement[], columns: number, empty: string): void {
  const isEmpty = rows.length === 0;
  const nothing = element("tr", {}, element("td", { colspan: columns, class: "empty" }, empty));
  panel(id).replaceChildren(...(isEmpty ? [nothing] : rows));
}
