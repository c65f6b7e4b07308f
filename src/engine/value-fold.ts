/**
 * The newest version of a key as a value: operands are gathered from the newest down to the first value or tombstone,
 * and folded into it from there up.
 */
import { VarveError } from "../errors.ts";
import { KIND } from "../key.ts";
import { applyOperand, operatorOf } from "../merge-operators.ts";
import { type KeyVersions, WALK } from "./key-versions.ts";

export class ValueFold {
  /** Of the newest version, a tombstone, too; 0 where there is none. All is whole once `advance` has returned true. */
  sequence = 0;
  /** The caller's to keep; `undefined` where the key is absent. */
  value: Uint8Array | undefined;
  /** From when on the value is absent; `Infinity` where it does not expire. */
  expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #versions: KeyVersions;
  readonly #nowMs: number;
  /** Operands with their operators in front, newest first. */
  readonly #operands: Uint8Array[] = [];

  /** Over versions whose walk, not by lives, was started. */
  constructor(versions: KeyVersions, nowMs: number) {
    this.#versions = versions;
    this.#nowMs = nowMs;
  }

  /** Goes on as far as memory goes; false where the versions must load before it is called again. */
  advance(): boolean {
    const versions = this.#versions;
    for (;;) {
      const state = versions.next();
      if (state === WALK.BLOCKED) return false;
      if (state === WALK.FOUND && this.sequence === 0) this.sequence = versions.sequence;
      if (state === WALK.END || versions.kind !== KIND.MERGE) {
        this.#foldUp(state === WALK.END ? undefined : this.#present());
        return true;
      }
      this.#operands.push(this.#bytes());
    }
  }

  load(): Promise<void> {
    return this.#versions.load();
  }

  loadSync(): void {
    this.#versions.loadSync();
  }

  /** Gives back what the walk holds. */
  end(): void {
    this.#versions.end();
  }

  /** The value that the walk stands on, if it is one and has not expired. */
  #present(): Uint8Array | undefined {
    const { kind, expiresAtMs } = this.#versions;
    if (kind !== KIND.PUT || expiresAtMs <= this.#nowMs) return undefined;
    this.expiresAtMs = expiresAtMs;
    return this.#bytes();
  }

  #bytes(): Uint8Array {
    const { value, valueStart, valueEnd } = this.#versions;
    return new Uint8Array(value.subarray(valueStart, valueEnd));
  }

  #foldUp(below: Uint8Array | undefined): void {
    this.value = below;
    for (
      let operand = this.#operands.pop();
      operand !== undefined;
      operand = this.#operands.pop()
    ) {
      const operator = operatorOf(operand, 0);
      if (operator === undefined) {
        throw new VarveError("CORRUPTION", `a stored operand has unknown operator ${operand[0]}`);
      }
      this.value = applyOperand(operator, this.value, operand.subarray(1));
    }
  }
}
