/** The parent's side of `load-child.ts`. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Observed } from "./observer.ts";

export type LoadOrder =
  | {
      readonly kind: "run";
      readonly url: string;
      /** Names the round, in values and reports. */
      readonly round: string;
      readonly seed: number;
      readonly inFlight: number;
    }
  | { readonly kind: "stop" };

export type LoadReport = Observed;

export class LoadProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #waiting: PromiseWithResolvers<LoadReport> | undefined;

  constructor(name: string) {
    this.#child = fork(join(import.meta.dirname, "load-child.ts"), [name], {
      // Histories hold infinities and undefined, which JSON does not.
      serialization: "advanced",
      execArgv: [],
    });
    this.#child.on("message", (report: LoadReport) => this.#waiting?.resolve(report));
    this.#exited = once(this.#child, "exit").then(() => {
      this.#waiting?.reject(new Error(`${name}, a client process, has ended`));
    });
  }

  /** Resolves with what the client observed, when the server is gone or the load was stopped. */
  async run(order: Omit<LoadOrder & { kind: "run" }, "kind">): Promise<LoadReport> {
    this.#waiting = Promise.withResolvers<LoadReport>();
    this.#child.send({ kind: "run", ...order });
    return this.#waiting.promise;
  }

  stop(): void {
    this.#child.send({ kind: "stop" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}
