/**
 * A side of a comparison as a process of its own, so that no side's heap, compiled code or threads touch
 * another's. The parent asks, one question at a time; the child answers.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

type Answer = { readonly result: unknown } | { readonly error: string };

export class SideProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  #pending: ((answer: Answer) => void) | undefined;

  /** Runs `program` with `args`; `execArgv` are options of Node itself. */
  constructor(
    name: string,
    program: string,
    args: readonly string[],
    execArgv: readonly string[] = ["--expose-gc"],
  ) {
    this.name = name;
    this.#child = fork(program, [...args], { execArgv: [...execArgv], serialization: "advanced" });
    this.#child.on("message", (answer: Answer) => this.#answer(answer));
    this.#child.once("exit", (code, signal) => {
      process.off("exit", this.#kill);
      this.#answer({ error: `ended with ${signal ?? code}` });
    });
    // A parent that ends must not leave the side behind. Before all else: what the side uses is removed then.
    process.prependOnceListener("exit", this.#kill);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ask<Result>(question: object): Promise<Result> {
    const answered = new Promise<Answer>((resolve) => {
      this.#pending = resolve;
    });
    this.#child.send(question);
    const answer = await answered;
    if ("error" in answer) throw new Error(`${this.name}: ${answer.error}`);
    return answer.result as Result;
  }

  /** Ends the child once it has nothing left to do. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }

  readonly #kill = (): void => {
    this.#child.kill("SIGKILL");
  };

  #answer(answer: Answer): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.(answer);
  }
}

/** The child's part: answers each question of the parent with what `handle` returns. */
export function answerQuestions<Question>(handle: (question: Question) => Promise<unknown>): void {
  process.once("disconnect", () => process.exit());
  process.on("message", (question) => {
    handle(question as Question).then(
      (result) => process.send?.({ result }),
      (error: unknown) =>
        process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : error }),
    );
  });
}
