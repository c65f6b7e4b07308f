/** What transactions did, as they saw it: what the checker of serializability works on. */

/** One step of a transaction on a list that is only appended to. */
export type Step =
  | { readonly type: "append"; readonly key: string; readonly element: string }
  /** All that the list held; nothing where the key was absent. */
  | { readonly type: "read"; readonly key: string; readonly elements: readonly string[] };

export interface RanTransaction {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Whether it was committed; one that was not must have left nothing. */
  readonly committed: boolean;
  /** When it began and ended, in any unit; one that ended before another began comes before it. */
  readonly began: number;
  readonly ended: number;
}
