/** One entry: its key, what is known of it, its value, and what can be done with it. */
import { element } from "../page/dom.ts";
import type { Term } from "../page/terms.ts";
import { term } from "../page/tooltip.ts";
import { printable } from "../text/bytes.ts";
import { formatBytes, formatDate, formatDuration } from "../text/format.ts";
import type { StoredEntry } from "./kv-client.ts";
import { valueView } from "./value-view.ts";

export interface EntryActions {
  /** Where entries may not be changed there are no buttons. */
  readonly mayWrite: boolean;
  readonly onEdit: () => void;
  readonly onDelete: () => void;
  readonly onReload: () => void;
}

export function entryView(key: Uint8Array, entry: StoredEntry, actions: EntryActions): HTMLElement {
  const edit = element("button", { type: "button", class: "primary", id: "entry-edit" }, "Edit");
  const remove = element(
    "button",
    { type: "button", class: "danger", id: "entry-delete" },
    "Delete",
  );
  const reload = element("button", { type: "button", id: "entry-reload" }, "Reload");
  edit.addEventListener("click", actions.onEdit);
  remove.addEventListener("click", actions.onDelete);
  reload.addEventListener("click", actions.onReload);
  return element(
    "article",
    { class: "entry" },
    element("h3", { class: "key-name", id: "entry-key", tabindex: -1 }, printable(key)),
    element("dl", { class: "facts" }, ...factsOf(entry)),
    valueView(entry.value, "view"),
    element("div", { class: "actions" }, ...(actions.mayWrite ? [edit, remove] : []), reload),
  );
}

export function missingView(key: Uint8Array, text: string): HTMLElement {
  return element(
    "article",
    { class: "entry" },
    element("h3", { class: "key-name", id: "entry-key", tabindex: -1 }, printable(key)),
    element("p", { class: "empty" }, text),
  );
}

function factsOf({ value, etag, version, createdAt, updatedAt, expiresAt }: StoredEntry): Node[] {
  const left = expiresAt === undefined ? 0 : expiresAt - Date.now();
  return [
    ...fact("version", "version", version === undefined ? "–" : String(version)),
    ...fact("size", undefined, formatBytes(value.length)),
    ...fact("created", undefined, createdAt === undefined ? "–" : formatDate(createdAt)),
    ...fact("updated", undefined, updatedAt === undefined ? "–" : formatDate(updatedAt)),
    ...fact(
      "expires",
      undefined,
      expiresAt === undefined ? "never" : `${formatDate(expiresAt)}, in ${formatDuration(left)}`,
    ),
    ...fact("tag", "etag", etag),
  ];
}

function fact(name: string, explained: Term | undefined, text: string): Node[] {
  const head = element("dt", {}, explained === undefined ? name : term(explained, name));
  return [head, element("dd", { "data-fact": name }, text)];
}
