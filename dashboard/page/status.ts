/** The head of the page: whether all is well, what runs there, and the banner for what is not well. */
import type { Live } from "../data/live.ts";
import { formatDuration } from "../text/format.ts";
import { alarmsOf } from "./alarms.ts";
import { element, panel, setText } from "./dom.ts";

const WORDS = {
  connecting: "connecting",
  unreachable: "unreachable",
  locked: "token needed",
  failing: "failing",
} as const;

export function showStatus(live: Live, now = Date.now()): void {
  const alarms = alarmsOf(live, now);
  const isBad = alarms.some(({ severity }) => severity === "bad");
  const health = alarms.length === 0 ? "ready" : isBad ? "trouble" : "slowed";
  const word = live.link === "live" ? health : WORDS[live.link];
  const pill = panel("state");
  setText(pill, word);
  pill.dataset.state = live.link === "live" ? health : live.link;
  const banner = panel("banner");
  const said = JSON.stringify(alarms);
  if (banner.dataset.said !== said) {
    banner.dataset.said = said;
    banner.replaceChildren(
      ...alarms.map(({ severity, title, detail }) =>
        element(
          "div",
          { class: "alarm", "data-severity": severity },
          element("strong", {}, title),
          element("span", {}, detail),
        ),
      ),
    );
  }
  document.body.classList.toggle(
    "is-stale",
    live.link === "unreachable" || live.link === "failing",
  );
  document.title =
    word === "ready" ? `Varve · ${location.host}` : `(${word}) Varve · ${location.host}`;
  setText(panel("about"), live.stats === undefined ? location.host : aboutOf(live.stats));
}

function aboutOf({ version, uptime_ms, access }: NonNullable<Live["stats"]>): string {
  const rights = access.read_only
    ? "read-only"
    : access.role === "write"
      ? "may write"
      : "may read";
  return `${location.host} · version ${version} · up ${formatDuration(uptime_ms)} · ${rights}`;
}
