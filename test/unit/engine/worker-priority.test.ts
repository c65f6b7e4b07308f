import { readdirSync, readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { WorkerBackground } from "../../../src/engine/worker-background.ts";

/** Of each thread of this process (`man 5 proc`: the 19th field, counted past the name). */
function priorities(): number[] {
  return readdirSync("/proc/self/task").map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
}

test.runIf(process.platform === "linux")(
  "background workers give way to the thread that answers calls",
  async () => {
    const [before] = priorities();
    const threads = 2;
    const background = new WorkerBackground(0, threads);
    try {
      await vi.waitFor(() => {
        const nicer = priorities().filter((priority) => priority > (before ?? 0));
        expect(nicer).toHaveLength(threads);
      });
      expect(priorities()[0]).toBe(before);
    } finally {
      await background.close();
    }
  },
);
