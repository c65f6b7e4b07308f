/** The page has two views, each with an address of its own behind the `#`: the state of the server, and its keys. */
import { panel } from "./dom.ts";

const VIEWS = ["overview", "keys"] as const;

/** `onKeys` is called whenever the keys come into view. */
export function enableViews(onKeys: () => void): void {
  function show(): void {
    const chosen = VIEWS.find((view) => location.hash === `#${view}`) ?? "overview";
    for (const view of VIEWS) {
      panel(`view-${view}`).hidden = view !== chosen;
      const link = panel(`to-${view}`);
      if (view === chosen) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (chosen === "keys") onKeys();
  }
  addEventListener("hashchange", show);
  show();
}
