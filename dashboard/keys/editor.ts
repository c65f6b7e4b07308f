/**
 * Writes an entry, new or changed, on the condition that nobody else has changed it since it was read. Where somebody
 * has, what is there now is shown beside what was typed, and the choice is left to the person.
 */
import { element } from "../page/dom.ts";
import { parsePrintable, printable } from "../text/bytes.ts";
import { conflictView } from "./conflict-view.ts";
import {
  isConflict,
  isUnreachableKey,
  type KvClient,
  type StoredEntry,
  type WriteCondition,
} from "./kv-client.ts";
import { ValueField } from "./value-field.ts";

export interface EditorEvents {
  /** The entry was written, or what is there was taken instead. */
  readonly onDone: (key: Uint8Array) => void;
  readonly onCancel: () => void;
}

export class Editor {
  readonly root = element("form", { class: "editor", id: "editor", novalidate: true });
  readonly #kv: KvClient;
  readonly #keyspace: string;
  readonly #events: EditorEvents;
  readonly #givenKey: Uint8Array | undefined;
  readonly #key = element("input", { id: "edit-key", autocomplete: "off", spellcheck: "false" });
  readonly #ttl = element("input", {
    id: "edit-ttl",
    autocomplete: "off",
    size: 8,
    placeholder: "never",
  });
  readonly #value: ValueField;
  readonly #message = element("p", { class: "error", id: "edit-message", role: "alert" });
  readonly #conflict = element("div", { id: "conflict", role: "alert" });
  #condition: WriteCondition;

  /** Without a key and its entry, a new one is made. */
  constructor(
    kv: KvClient,
    keyspace: string,
    given: { readonly key: Uint8Array; readonly entry: StoredEntry } | undefined,
    events: EditorEvents,
  ) {
    this.#kv = kv;
    this.#keyspace = keyspace;
    this.#events = events;
    this.#givenKey = given?.key;
    this.#condition = given === undefined ? "absent" : { etag: given.entry.etag };
    this.#value = new ValueField(given?.entry.value ?? new Uint8Array());
    const expiresAt = given?.entry.expiresAt;
    if (expiresAt !== undefined) {
      this.#ttl.value = `${Math.max(1, Math.round((expiresAt - Date.now()) / 1000))}s`;
    }
    const cancel = element("button", { type: "button" }, "Cancel");
    cancel.addEventListener("click", () => events.onCancel());
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    this.root.append(
      given === undefined ? this.#keyField() : keyTitle(given.key),
      this.#value.root,
      element(
        "p",
        { class: "field" },
        element("label", { for: "edit-ttl" }, "Expires after"),
        this.#ttl,
        element("span", { class: "note" }, "Such as 30s, 10m, 12h or 7d; empty: never."),
      ),
      this.#message,
      this.#conflict,
      element(
        "div",
        { class: "actions" },
        element(
          "button",
          { type: "submit", class: "primary", id: "edit-save" },
          given === undefined ? "Create" : "Save",
        ),
        cancel,
      ),
    );
  }

  focus(): void {
    if (this.#givenKey === undefined) this.#key.focus();
    else this.#value.focus();
  }

  #keyField(): HTMLElement {
    return element(
      "p",
      { class: "field is-wide" },
      element("label", { for: "edit-key" }, "Key"),
      this.#key,
      element("span", { class: "note" }, "Any bytes: \\xNN stands for one, \\\\ for a backslash."),
    );
  }

  async #save(): Promise<void> {
    this.#message.textContent = "";
    this.#conflict.replaceChildren();
    const key = this.#givenKey ?? parsePrintable(this.#key.value);
    const value = this.#value.bytes();
    if (key.length === 0) return this.#say("A key has at least one byte.");
    if (isUnreachableKey(key))
      return this.#say("Browsers cannot address this key: use the command line.");
    if (typeof value === "string") return this.#say(value);
    try {
      await this.#kv.write(key, this.#keyspace, value, this.#condition, this.#ttl.value.trim());
    } catch (error) {
      if (isConflict(error)) return this.#showConflict(key);
      return this.#say(error instanceof Error ? error.message : String(error));
    }
    this.#events.onDone(key);
  }

  #say(text: string): void {
    this.#message.textContent = text;
  }

  async #showConflict(key: Uint8Array): Promise<void> {
    try {
      const present = await this.#kv.read(key, this.#keyspace);
      const view = conflictView(present, {
        onTake: () => this.#events.onDone(key),
        onOverwrite: () => {
          this.#condition = present === undefined ? "absent" : { etag: present.etag };
          void this.#save();
        },
      });
      this.#conflict.replaceChildren(view);
    } catch (error) {
      this.#say(
        `It was changed meanwhile, but cannot be read: ${error instanceof Error ? error.message : error}`,
      );
    }
  }
}

function keyTitle(key: Uint8Array): HTMLElement {
  return element("h3", { class: "key-name" }, printable(key));
}
