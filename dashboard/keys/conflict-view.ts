/** What is said when a write was not made because the entry is not the one that was read. */
import { element } from "../page/dom.ts";
import { formatDate } from "../text/format.ts";
import type { StoredEntry } from "./kv-client.ts";
import { valueView } from "./value-view.ts";

export interface ConflictChoices {
  readonly onTake: () => void;
  readonly onOverwrite: () => void;
}

export function conflictView(
  present: StoredEntry | undefined,
  choices: ConflictChoices,
): HTMLElement {
  const take = element(
    "button",
    { type: "button", id: "conflict-take" },
    "Reload, and drop my text",
  );
  const overwrite = element(
    "button",
    { type: "button", class: "danger", id: "conflict-overwrite" },
    "Write mine over it",
  );
  take.addEventListener("click", choices.onTake);
  overwrite.addEventListener("click", choices.onOverwrite);
  const what =
    present === undefined
      ? "It has been deleted since."
      : `It is version ${present.version ?? "?"} now, of ${present.updatedAt === undefined ? "?" : formatDate(present.updatedAt)}:`;
  return element(
    "div",
    { class: "conflict" },
    element("strong", {}, "Somebody else changed this key meanwhile. Nothing was written."),
    element("p", {}, what),
    ...(present === undefined ? [] : [valueView(present.value, "conflict-view")]),
    element("div", { class: "actions" }, take, overwrite),
  );
}
