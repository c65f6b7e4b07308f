/** What the demo prints: lines, rates, and a progress bar where a person is looking. */
import { Presets, SingleBar } from "cli-progress";

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function perSecond(count: number, seconds: number): string {
  return `${Math.round(count / seconds).toLocaleString("en-US")}/s`;
}

export class Progress {
  readonly #bar: SingleBar | undefined;

  constructor(label: string, total: number) {
    if (!process.stdout.isTTY) return;
    const format = `${label} {bar} {percentage}% {value}/{total}`;
    this.#bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.rect);
    this.#bar.start(total, 0);
  }

  update(done: number): void {
    this.#bar?.update(done);
  }

  stop(): void {
    this.#bar?.stop();
  }
}
