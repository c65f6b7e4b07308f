/** What one client does to a server by seed: single writes, batches, and every kind of read, many at once. */
import type { Store } from "../src/store.ts";
import { Random } from "../test/support/random.ts";
import { COLD_KEYS, GROUP_KEYS, HOT_KEYS } from "./entries.ts";
import type { Change, Observer, Outcome } from "./observer.ts";

const COLD_BYTES_MAX = 3000;
const HOT_BYTES_MAX = 100;

export class Load {
  readonly #store: Store;
  readonly #observer: Observer;
  readonly #random: Random;
  /** Makes tags that no other load makes. */
  readonly #name: string;
  #tags = 0;
  #stopped = false;

  constructor(store: Store, observer: Observer, name: string, seed: number) {
    this.#store = store;
    this.#observer = observer;
    this.#name = name;
    this.#random = new Random(seed);
  }

  /** So many calls at a time, until the connection is lost or `stop` is called. */
  async run(inFlight: number): Promise<void> {
    const worker = async () => {
      while (!this.#stopped) {
        if ((await this.#act()) === "lost") this.#stopped = true;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
  }

  stop(): void {
    this.#stopped = true;
  }

  #act(): Promise<Outcome> {
    const random = this.#random;
    const dice = random.below(1000);
    if (dice < 300) return this.#observer.get(this.#store, random.pick(HOT_KEYS));
    if (dice < 560) return this.#write([this.#put(random.pick(HOT_KEYS), HOT_BYTES_MAX)]);
    if (dice < 640) return this.#write([remove(random.pick(HOT_KEYS))]);
    if (dice < 800) return this.#write([this.#put(random.pick(COLD_KEYS), COLD_BYTES_MAX)]);
    if (dice < 830) return this.#write([remove(random.pick(COLD_KEYS))]);
    if (dice < 920) return this.#writeGroup();
    if (dice < 990) return this.#observer.getMany(this.#store, random.pick(GROUP_KEYS));
    return this.#observer.scan(this.#store, random.chance(30));
  }

  #write(changes: readonly Change[]): Promise<Outcome> {
    return this.#observer.write(this.#store, changes);
  }

  /** A group whole, and some other keys, which go the same way if they go at all. */
  #writeGroup(): Promise<Outcome> {
    const random = this.#random;
    const group = random.pick(GROUP_KEYS);
    if (random.chance(15)) return this.#write(group.map(remove));
    const { tag } = this.#put("", 0);
    const bytes = random.below(HOT_BYTES_MAX);
    const keys = new Set([...group, random.pick(COLD_KEYS), random.pick(HOT_KEYS)]);
    return this.#write([...keys].map((key) => ({ key, tag, bytes })));
  }

  #put(key: string, bytesMax: number): Change {
    return { key, tag: `${this.#name}.${this.#tags++}`, bytes: this.#random.below(bytesMax) };
  }
}

function remove(key: string): Change {
  return { key, tag: undefined, bytes: 0 };
}
