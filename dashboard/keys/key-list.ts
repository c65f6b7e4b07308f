/** The search, and the page of keys that it found. Pages before are found again by the cursors that led to them. */
import { byId, element, panel, setText } from "../page/dom.ts";
import { parsePrintable, printable, sameBytes } from "../text/bytes.ts";
import { formatDate } from "../text/format.ts";
import type { KeyItem, KvClient, Search } from "./kv-client.ts";

const PAGE_KEYS = 50;

export class KeyList {
  readonly #kv: KvClient;
  readonly #onChoose: (key: Uint8Array, keyspace: string) => void;
  readonly #prefix = byId("key-prefix", HTMLInputElement);
  readonly #keyspace = byId("keyspace", HTMLInputElement);
  readonly #order = byId("key-order", HTMLSelectElement);
  readonly #list = panel("key-list");
  readonly #back = byId("page-back", HTMLButtonElement);
  readonly #forward = byId("page-forward", HTMLButtonElement);
  #search: Search = { prefix: new Uint8Array(), keyspace: "", isReverse: false };
  /** Of the pages up to the present one; the first has none. */
  #cursors: (string | undefined)[] = [undefined];
  #next: string | undefined;
  #items: readonly KeyItem[] = [];
  #chosen: Uint8Array | undefined;
  /** Only the answer to the last question is shown. */
  #question = 0;

  constructor(kv: KvClient, onChoose: (key: Uint8Array, keyspace: string) => void) {
    this.#kv = kv;
    this.#onChoose = onChoose;
    this.#keyspace.value = new URLSearchParams(location.search).get("keyspace") ?? "";
    byId("key-search", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.search();
    });
    this.#order.addEventListener("change", () => void this.search());
    this.#back.addEventListener("click", () => {
      this.#cursors.pop();
      void this.#load();
    });
    this.#forward.addEventListener("click", () => {
      this.#cursors.push(this.#next);
      void this.#load();
    });
    this.#list.addEventListener("keydown", (event) => this.#press(event));
  }

  get keyspace(): string {
    return this.#search.keyspace;
  }

  /** From the first page on. */
  async search(): Promise<void> {
    const keyspace = this.#keyspace.value.trim();
    const isReverse = this.#order.value === "reverse";
    this.#search = { prefix: parsePrintable(this.#prefix.value), keyspace, isReverse };
    this.#cursors = [undefined];
    const address = new URL(location.href);
    if (keyspace === "") address.searchParams.delete("keyspace");
    else address.searchParams.set("keyspace", keyspace);
    history.replaceState(null, "", address);
    await this.#load();
  }

  /** The same page anew, after something on it was changed. */
  async reload(): Promise<void> {
    await this.#load();
  }

  markChosen(key: Uint8Array | undefined): void {
    this.#chosen = key;
    [...this.#list.querySelectorAll("button")].forEach((button, index) => {
      const item = this.#items[index];
      const isChosen = key !== undefined && item !== undefined && sameBytes(item.key, key);
      button.setAttribute("aria-current", String(isChosen));
    });
  }

  async #load(): Promise<void> {
    const question = ++this.#question;
    this.#list.setAttribute("aria-busy", "true");
    try {
      const page = await this.#kv.list(this.#search, this.#cursors.at(-1), PAGE_KEYS);
      if (question !== this.#question) return;
      this.#items = page.items;
      this.#next = page.cursor;
      this.#show();
    } catch (error) {
      if (question !== this.#question) return;
      this.#items = [];
      this.#next = undefined;
      this.#say(error instanceof Error ? error.message : String(error), "error");
    } finally {
      if (question === this.#question) this.#list.removeAttribute("aria-busy");
    }
    this.#back.disabled = this.#cursors.length <= 1;
    this.#forward.disabled = this.#next === undefined;
    setText(panel("page-number"), `Page ${this.#cursors.length}`);
  }

  #show(): void {
    if (this.#items.length === 0) {
      const isSearch = this.#search.prefix.length > 0;
      const empty = isSearch ? "No key begins with this." : "There are no keys here yet.";
      this.#say(this.#next === undefined ? empty : "Only deleted keys so far: go on.", "empty");
      return;
    }
    const items = this.#items.map(({ key, version, updatedAt }) => {
      const note = updatedAt === undefined ? "" : formatDate(updatedAt);
      const title = version === undefined ? note : `version ${version}, ${note}`;
      const name = element("span", { class: "key-name" }, printable(key));
      const button = element(
        "button",
        { type: "button" },
        name,
        element("span", { class: "note" }, title),
      );
      button.addEventListener("click", () => this.#onChoose(key, this.#search.keyspace));
      return element("li", {}, button);
    });
    this.#list.replaceChildren(...items);
    this.markChosen(this.#chosen);
  }

  #say(text: string, kind: "empty" | "error"): void {
    this.#list.replaceChildren(element("li", { class: kind }, text));
  }

  /** Up and down go from key to key, as in any list. */
  #press(event: KeyboardEvent): void {
    const buttons: Element[] = [...this.#list.querySelectorAll("button")];
    const focused = document.activeElement;
    const place = focused === null ? -1 : buttons.indexOf(focused);
    const places: Record<string, number> = {
      ArrowDown: Math.min(place + 1, buttons.length - 1),
      ArrowUp: Math.max(place - 1, 0),
      Home: 0,
      End: buttons.length - 1,
    };
    const next = places[event.key];
    if (next === undefined || place < 0) return;
    event.preventDefault();
    const target = buttons[next];
    if (target instanceof HTMLElement) target.focus();
  }
}
