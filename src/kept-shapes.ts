/**
 * One object of each class whose objects come and go on a hot path, so that there always is one.
 *
 * V8 forgets the hidden class of objects of which a full collection finds none alive, and the code that was compiled for
 * it. The next ones get another hidden class, and accesses that have seen a few of them are taken for megamorphic for as
 * long as the process lives: entries of a scan took four times as long once six collections had fallen between scans.
 */
export class KeptShapes {
  readonly #kept = new Map<unknown, object>();

  /** In place of the one of its class before. `object` must not hold on to anything large. */
  keep(object: object): void {
    this.#kept.set(object.constructor, object);
  }
}
