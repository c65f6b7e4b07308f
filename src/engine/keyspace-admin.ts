/** Creating, changing and dropping keyspaces: each is one batch, and durable when it is done. One name at a time. */
import { VarveError } from "../errors.ts";
import type { Clock } from "../fs/clock.ts";
import {
  checkKeyspaceChanges,
  checkKeyspaceName,
  checkKeyspaceOptions,
  KEYSPACE_ID_MAX,
  type KeyspaceChanges,
  type KeyspaceInfo,
  type KeyspaceOptions,
  settingsIn,
} from "../store.ts";
import type { Feed } from "./feed.ts";
import {
  type KeyspaceDirectory,
  type KeyspaceRecord,
  recordDeletes,
  recordPuts,
} from "./keyspace-directory.ts";
import { keyspaceBytes } from "./keyspace-sizes.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Tree } from "./tree.ts";
import type { Writes } from "./writes.ts";

export interface KeyspaceAdminParts {
  readonly clock: Clock;
  readonly tree: Tree;
  readonly keyspaces: KeyspaceDirectory;
  readonly feed: Pick<Feed, "wake">;
  readonly maintenance: Pick<Maintenance, "wake">;
}

export class KeyspaceAdmin {
  readonly #parts: KeyspaceAdminParts;
  /** Throws where nothing can be written. */
  readonly #writes: () => Writes;
  /** Of each name, what is under way. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(parts: KeyspaceAdminParts, writes: () => Writes) {
    this.#parts = parts;
    this.#writes = writes;
  }

  async open(name: string, options?: KeyspaceOptions): Promise<KeyspaceRecord> {
    checkKeyspaceName(name);
    const checked = checkKeyspaceOptions(options);
    const { keyspaces } = this.#parts;
    return this.#inTurn(name, async () => {
      const found = keyspaces.get(name);
      if (found === undefined) return this.#create(name, checked);
      if (checked.exclusive !== true) return found;
      throw new VarveError("KEYSPACE_EXISTS", `keyspace ${shown(name)} is there already`);
    });
  }

  async drop(name: string): Promise<boolean> {
    checkKeyspaceName(name);
    const { keyspaces, feed } = this.#parts;
    return this.#inTurn(name, async () => {
      const record = keyspaces.get(name);
      if (record === undefined) return false;
      const writes = this.#writes();
      keyspaces.hide(record);
      try {
        await writes.system(recordDeletes(record));
      } catch (error) {
        keyspaces.set(record);
        throw error;
      }
      keyspaces.forget(record);
      feed.wake();
      return true;
    });
  }

  async alter(name: string, changes: KeyspaceChanges): Promise<void> {
    checkKeyspaceName(name);
    const checked = checkKeyspaceChanges(changes);
    const { keyspaces, maintenance } = this.#parts;
    return this.#inTurn(name, async () => {
      const record = changed(this.#existing(name), checked);
      await this.#writes().system(recordPuts(record, keyspaces.nextId));
      keyspaces.set(record);
      // Of what was kept for the past some may go now.
      maintenance.wake();
    });
  }

  async list(): Promise<KeyspaceInfo[]> {
    const { keyspaces, tree } = this.#parts;
    const records = keyspaces.list();
    const ids = records.map(({ id }) => id).sort((a, b) => a - b);
    const bytes = await keyspaceBytes(tree, ids);
    return records.map((record) => ({ ...record, bytes: bytes.get(record.id) ?? 0 }));
  }

  async #create(name: string, options: KeyspaceOptions): Promise<KeyspaceRecord> {
    const { keyspaces, clock } = this.#parts;
    const { create = true } = options;
    if (!create) this.#existing(name);
    if (keyspaces.nextId > KEYSPACE_ID_MAX) {
      throw new VarveError("INTERNAL", "there are no ids left for another keyspace");
    }
    const writes = this.#writes();
    const record = {
      id: keyspaces.nextId++,
      name,
      createdAt: clock.now(),
      ...settingsIn(options),
    };
    await writes.system(recordPuts(record, keyspaces.nextId));
    keyspaces.set(record);
    return record;
  }

  #existing(name: string): KeyspaceRecord {
    const record = this.#parts.keyspaces.get(name);
    if (record !== undefined) return record;
    throw new VarveError("NO_SUCH_KEYSPACE", `there is no keyspace ${shown(name)}`);
  }

  /** Runs `act` when all that was asked for before, of the same name, is done. */
  async #inTurn<Result>(name: string, act: () => Promise<Result>): Promise<Result> {
    const before = this.#busy.get(name);
    const run = before === undefined ? act() : before.then(act, act);
    this.#busy.set(name, run);
    try {
      return await run;
    } finally {
      if (this.#busy.get(name) === run) this.#busy.delete(name);
    }
  }
}

/** What is `null` is taken away, and of the retention both together. */
function changed(record: KeyspaceRecord, changes: KeyspaceChanges): KeyspaceRecord {
  const { id, name, createdAt } = record;
  const before: KeyspaceChanges = settingsIn(record);
  const isStores = changes.retentionMs === null || changes.retentionSequences === null;
  const retention = isStores ? { retentionMs: null, retentionSequences: null } : {};
  const given = Object.entries(changes).filter(([, change]) => change !== undefined);
  const after = { ...before, ...retention, ...Object.fromEntries(given) };
  return { id, name, createdAt, ...settingsIn(after) };
}

function shown(name: string): string {
  return JSON.stringify(name);
}
