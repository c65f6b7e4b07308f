/**
 * The snapshots that clients hold. An open one makes compaction keep what it sees, so each is leased: it ends when it
 * is closed, when its connection ends, when it was not used for as long as the lease says, or when an administrator
 * ends it. What was begun on it goes on.
 *
 * Invariant: a lease belongs to one connection and is of use to no other.
 */
import type { SnapshotInfo, SnapshotLease } from "varve-protocol";
import { VarveError } from "../errors.ts";
import type { Clock, Timer } from "../fs/clock.ts";
import type { ServedReader, ServedSnapshot, ServedStore } from "./served-store.ts";
import type { ServerSettings } from "./server-options.ts";

const RETRY_MS = 100;

/** Whom a snapshot belongs to. */
export interface LeaseOwner {
  readonly peer: string;
}

interface Lease {
  readonly owner: LeaseOwner;
  readonly snapshot: ServedSnapshot;
  readonly openedMs: number;
  /** By the monotonic clock. */
  usedAtMs: number;
  timer: Timer;
}

export class SnapshotLeases {
  readonly #store: Pick<ServedStore, "snapshot">;
  readonly #settings: ServerSettings;
  readonly #clock: Clock;
  readonly #leases = new Map<number, Lease>();
  /** Handles of open snapshots, and of those that are being opened. */
  readonly #held = new Map<LeaseOwner, Set<number>>();
  #count = 0;
  #nextHandle = 1;

  constructor(store: Pick<ServedStore, "snapshot">, settings: ServerSettings, clock: Clock) {
    this.#store = store;
    this.#settings = settings;
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  /** A snapshot of now. Throws `OVERLOADED` where the owner, or all together, have too many. */
  async open(owner: LeaseOwner): Promise<SnapshotLease> {
    const handle = this.#reserve(owner);
    let snapshot: ServedSnapshot;
    try {
      snapshot = await this.#store.snapshot();
    } catch (error) {
      this.#forget(owner, handle);
      throw error;
    }
    if (!this.#held.get(owner)?.has(handle)) {
      await snapshot.close();
      throw new VarveError("ABORTED", "the connection ended while the snapshot was opened");
    }
    const now = this.#clock.monotonicMs();
    const openedMs = this.#clock.now();
    const timer = this.#timerOf(handle, this.#settings.snapshotLeaseMs);
    this.#leases.set(handle, { owner, snapshot, openedMs, usedAtMs: now, timer });
    return this.#leaseOf(handle, snapshot);
  }

  /** What the snapshot reads from, with its lease renewed; throws `SNAPSHOT_EXPIRED` where there is none. */
  use(owner: LeaseOwner, handle: number): ServedReader {
    return this.#renewed(owner, handle).snapshot;
  }

  renew(owner: LeaseOwner, handle: number): SnapshotLease {
    return this.#leaseOf(handle, this.#renewed(owner, handle).snapshot);
  }

  /** Closing one that has ended is fine. */
  close(owner: LeaseOwner, handle: number): void {
    if (this.#leases.get(handle)?.owner === owner) this.#end(handle);
  }

  /** The owner is gone. */
  closeAll(owner: LeaseOwner): void {
    const handles = this.#held.get(owner);
    if (handles === undefined) return;
    for (const handle of handles) {
      if (this.#leases.has(handle)) this.#end(handle);
      else this.#forget(owner, handle);
    }
  }

  /** Whoever owns it; false where there is no such snapshot. */
  kill(handle: number): boolean {
    const isOpen = this.#leases.has(handle);
    if (isOpen) this.#end(handle);
    return isOpen;
  }

  list(): SnapshotInfo[] {
    return [...this.#leases].map(([id, lease]) => ({
      id,
      sequence: lease.snapshot.sequence,
      peer: lease.owner.peer,
      openedMs: lease.openedMs,
      leaseLeftMs: Math.max(0, Math.ceil(this.#leftMs(lease))),
    }));
  }

  #reserve(owner: LeaseOwner): number {
    const { snapshotsMax, snapshotsPerConnectionMax } = this.#settings;
    const held = this.#held.get(owner) ?? new Set();
    if (held.size >= snapshotsPerConnectionMax || this.#count >= snapshotsMax) {
      const whose = held.size >= snapshotsPerConnectionMax ? "the connection" : "the server";
      const message = `${whose} has too many snapshots open; close one first`;
      throw new VarveError("OVERLOADED", message, { retryAfterMs: RETRY_MS });
    }
    const handle = this.#nextHandle++;
    this.#held.set(owner, held.add(handle));
    this.#count++;
    return handle;
  }

  #forget(owner: LeaseOwner, handle: number): void {
    const held = this.#held.get(owner);
    if (held === undefined || !held.delete(handle)) return;
    this.#count--;
    if (held.size === 0) this.#held.delete(owner);
  }

  #renewed(owner: LeaseOwner, handle: number): Lease {
    const lease = this.#leases.get(handle);
    if (lease === undefined || lease.owner !== owner || this.#leftMs(lease) <= 0) {
      const message = `snapshot ${handle} is not open on this connection; one that is not used for ${this.#settings.snapshotLeaseMs} ms ends`;
      throw new VarveError("SNAPSHOT_EXPIRED", message);
    }
    lease.usedAtMs = this.#clock.monotonicMs();
    return lease;
  }

  #leaseOf(handle: number, { sequence }: ServedSnapshot): SnapshotLease {
    return { handle, sequence, leaseMs: this.#settings.snapshotLeaseMs };
  }

  #leftMs({ usedAtMs }: Lease): number {
    return usedAtMs + this.#settings.snapshotLeaseMs - this.#clock.monotonicMs();
  }

  /** Uses do not move the timer: it looks when it rings how much is left. */
  #timerOf(handle: number, delayMs: number): Timer {
    return this.#clock.setTimer(delayMs, () => {
      const lease = this.#leases.get(handle);
      if (lease === undefined) return;
      const leftMs = this.#leftMs(lease);
      if (leftMs <= 0) this.#end(handle);
      else lease.timer = this.#timerOf(handle, Math.ceil(leftMs));
    });
  }

  #end(handle: number): void {
    const lease = this.#leases.get(handle);
    if (lease === undefined) return;
    lease.timer.cancel();
    this.#leases.delete(handle);
    this.#forget(lease.owner, handle);
    // It only gives back what it holds, and that at once.
    lease.snapshot.close().catch(() => undefined);
  }
}
