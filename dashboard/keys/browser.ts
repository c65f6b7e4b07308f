/** The key browser: the list on one side, and on the other the entry that was chosen, or the editor. */
import { Problem } from "../data/api.ts";
import { byId, element, panel, setText } from "../page/dom.ts";
import { printable } from "../text/bytes.ts";
import { Editor } from "./editor.ts";
import { entryView, missingView } from "./entry-view.ts";
import { KeyList } from "./key-list.ts";
import { isConflict, isUnreachableKey, type KvClient, type StoredEntry } from "./kv-client.ts";

/** What may be edited in a text field; larger values are for programs. */
const EDIT_BYTES_MAX = 1024 * 1024;

export class KeyBrowser {
  readonly #kv: KvClient;
  readonly #list: KeyList;
  readonly #place = panel("entry-place");
  readonly #create = byId("entry-create", HTMLButtonElement);
  readonly #dialog = byId("delete-dialog", HTMLDialogElement);
  #confirmed = Promise.resolve(false);
  #mayWrite = false;
  /** What is to be seen in the place for entries; an answer that comes later is for nobody. */
  #visit = 0;
  #shownAgain: (() => void) | undefined;

  constructor(kv: KvClient) {
    this.#kv = kv;
    this.#list = new KeyList(kv, (key, keyspace) => void this.#open(key, keyspace));
    this.#create.addEventListener("click", () => this.#edit(this.#list.keyspace, undefined));
  }

  /** The list as it is now. */
  open(): Promise<void> {
    return this.#list.search();
  }

  setRights(mayWrite: boolean): void {
    if (mayWrite === this.#mayWrite) return;
    this.#mayWrite = mayWrite;
    this.#create.hidden = !mayWrite;
    this.#shownAgain?.();
  }

  async #open(key: Uint8Array, keyspace: string): Promise<void> {
    const visit = ++this.#visit;
    this.#shownAgain = undefined;
    this.#list.markChosen(key);
    if (isUnreachableKey(key)) {
      this.#show(missingView(key, "Browsers cannot address this key: use the command line."));
      return;
    }
    this.#place.setAttribute("aria-busy", "true");
    try {
      const entry = await this.#kv.read(key, keyspace);
      if (visit !== this.#visit) return;
      if (entry === undefined) this.#show(missingView(key, "There is no such entry any more."));
      else this.#showEntry(key, keyspace, entry);
    } catch (error) {
      if (visit === this.#visit) this.#show(missingView(key, wordsOf(error)));
    }
  }

  #showEntry(key: Uint8Array, keyspace: string, entry: StoredEntry): void {
    this.#shownAgain = () => this.#showEntry(key, keyspace, entry);
    const view = entryView(key, entry, {
      mayWrite: this.#mayWrite && entry.value.length <= EDIT_BYTES_MAX,
      onEdit: () => this.#edit(keyspace, { key, entry }),
      onDelete: () => void this.#delete(key, keyspace, entry),
      onReload: () => void this.#open(key, keyspace),
    });
    this.#show(view);
  }

  #edit(keyspace: string, given: { key: Uint8Array; entry: StoredEntry } | undefined): void {
    this.#visit++;
    this.#shownAgain = undefined;
    const editor = new Editor(this.#kv, keyspace, given, {
      onDone: (key) => {
        void this.#list.reload();
        void this.#open(key, keyspace).then(() => this.#focusEntry());
      },
      onCancel: () => {
        if (given === undefined) this.#showNothing();
        else this.#showEntry(given.key, keyspace, given.entry);
        this.#focusEntry();
      },
    });
    this.#show(editor.root);
    editor.focus();
  }

  async #delete(key: Uint8Array, keyspace: string, entry: StoredEntry): Promise<void> {
    if (!(await this.#confirm(key))) return;
    try {
      await this.#kv.remove(key, keyspace, entry.etag);
      this.#show(missingView(key, "It is deleted."));
      this.#shownAgain = undefined;
      await this.#list.reload();
    } catch (error) {
      await this.#open(key, keyspace);
      const text = isConflict(error)
        ? "Somebody else changed this key meanwhile. Nothing was deleted; this is what is there now."
        : wordsOf(error);
      this.#place.prepend(
        element("p", { class: "error", role: "alert", id: "delete-message" }, text),
      );
    }
    this.#focusEntry();
  }

  /** A dialog's end is told a moment after it is gone: the next one waits for that, as it would take it for its own. */
  #confirm(key: Uint8Array): Promise<boolean> {
    this.#confirmed = this.#confirmed.then(() => this.#ask(key));
    return this.#confirmed;
  }

  #ask(key: Uint8Array): Promise<boolean> {
    setText(panel("delete-key"), printable(key));
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    return new Promise((resolve) => {
      const done = () => resolve(this.#dialog.returnValue === "delete");
      this.#dialog.addEventListener("close", done, { once: true });
    });
  }

  #show(view: HTMLElement): void {
    this.#place.removeAttribute("aria-busy");
    this.#place.replaceChildren(view);
  }

  #showNothing(): void {
    this.#show(element("p", { class: "empty" }, "Choose a key to see its entry."));
  }

  #focusEntry(): void {
    document.getElementById("entry-key")?.focus();
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof Problem && error.status === 403)
    return `This is not allowed: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
