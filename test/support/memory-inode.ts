/**
 * A file's bytes in memory, and what of them is on the imagined disk: a durable image, and the list of
 * writes and truncations since, of which a loss of power keeps, loses or tears each.
 */
import type { Random } from "./random.ts";

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;

interface Change {
  readonly id: number;
  /** Where the change starts; for a truncation, the new size. */
  readonly position: number;
  /** What is written; `undefined` for a truncation. */
  readonly bytes: Uint8Array | undefined;
  /** On the disk already, but listed because it came after changes of the same bytes that are not. */
  readonly durable: boolean;
}

export class MemoryInode {
  #current: Bytes;
  #durable: Bytes;
  #changes: Change[] = [];
  #nextId = 0;

  constructor(content = new Bytes()) {
    this.#current = content;
    this.#durable = content.copy();
  }

  get size(): number {
    return this.#current.size;
  }

  /** The mark to give to `settle`: all changes until now. */
  get mark(): number {
    return this.#nextId;
  }

  read(target: Uint8Array, position: number): number {
    return this.#current.read(target, position);
  }

  write(source: Uint8Array, position: number): void {
    this.#current.write(source, position);
    // A copy of its own: `slice` of a Buffer would be a view of bytes that the writer uses again.
    this.#changes.push(this.#change(position, new Uint8Array(source), false));
  }

  /** Makes the last `write` durable, and no other. */
  settleLast(): void {
    const change = this.#changes.pop()!;
    const { position, bytes } = change;
    const end = position + bytes!.length;
    const touched = this.#changes.some((other) => {
      const otherEnd = other.bytes === undefined ? Infinity : other.position + other.bytes.length;
      return other.position < end && otherEnd > position;
    });
    if (touched) this.#changes.push({ ...change, durable: true });
    else this.#durable.write(bytes!, position);
  }

  truncate(size: number): void {
    this.#current.resize(size);
    this.#changes.push(this.#change(size, undefined, false));
  }

  /** Makes the changes before `mark` durable. */
  settle(mark: number): void {
    for (const change of this.#changes) if (change.id < mark) applyTo(this.#durable, change);
    this.#changes = this.#changes.filter((change) => change.id >= mark);
  }

  /** The same file, with what of it is durable and what is not. */
  clone(): MemoryInode {
    const clone = new MemoryInode(this.#current.copy());
    clone.#durable = this.#durable.copy();
    clone.#changes = [...this.#changes];
    clone.#nextId = this.#nextId;
    return clone;
  }

  /** The file as it may be after a loss of power. */
  crashCopy(random: Random): MemoryInode {
    const image = this.#durable.copy();
    for (const change of this.#changes) {
      if (change.durable) applyTo(image, change);
      else if (change.bytes === undefined) {
        if (random.chance(50)) applyTo(image, change);
      } else tear(image, change.position, change.bytes, random);
    }
    return new MemoryInode(image);
  }

  #change(position: number, bytes: Uint8Array | undefined, durable: boolean): Change {
    return { id: this.#nextId++, position, bytes, durable };
  }
}

function applyTo(image: Bytes, change: Change): void {
  if (change.bytes === undefined) image.resize(change.position);
  else image.write(change.bytes, change.position);
}

/**
 * Does to `image` what may become of a write: nothing, all of it, the sectors up to some point, or any of its
 * sectors. The size, which is the file system's to write, goes its own way: new size and zeros for data that
 * was lost, or data lost because the size was.
 */
function tear(image: Bytes, position: number, bytes: Uint8Array, random: Random): void {
  const sizeBefore = image.size;
  const end = position + bytes.length;
  const fate = random.below(4);
  const firstSector = Math.floor(position / SECTOR_BYTES);
  const sectors = Math.ceil(end / SECTOR_BYTES) - firstSector;
  const prefix = random.below(sectors + 1);
  let keptEnd = position;
  for (let i = 0; i < sectors; i++) {
    const kept = fate === 1 || (fate === 2 && i < prefix) || (fate === 3 && random.chance(50));
    if (!kept) continue;
    const from = Math.max(position, (firstSector + i) * SECTOR_BYTES);
    keptEnd = Math.min(end, (firstSector + i + 1) * SECTOR_BYTES);
    image.write(bytes.subarray(from - position, keptEnd - position), from);
  }
  if (end > sizeBefore && fate !== 1) {
    image.resize(random.pick([sizeBefore, Math.max(sizeBefore, keptEnd), end]));
  }
}

/** Bytes that grow; what lies between the old end and a write beyond it is zero. */
export class Bytes {
  #bytes = new Uint8Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(target: Uint8Array, position: number): number {
    const end = Math.min(position + target.length, this.#size);
    if (end <= position) return 0;
    target.set(this.#bytes.subarray(position, end));
    return end - position;
  }

  write(source: Uint8Array, position: number): void {
    const end = position + source.length;
    if (end > this.#size) this.resize(end);
    this.#bytes.set(source, position);
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    } else if (size < this.#size) {
      this.#bytes.fill(0, size, this.#size);
    }
    this.#size = size;
  }

  copy(): Bytes {
    const copy = new Bytes();
    copy.write(this.#bytes.subarray(0, this.#size), 0);
    return copy;
  }
}
