/** Closes a test run with one plain line, such as `412 passed, 0 failed, 3 skipped`, for those who read logs. */
import type { Reporter, TestModule } from "vitest/node";

export default class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    let broken = 0;
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++;
      if (!module.ok() && [...module.children.allTests("failed")].length === 0) broken++;
    }
    const failed = counts.failed + counts.pending + broken;
    process.once("exit", () => {
      process.stdout.write(
        `${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped\n`,
      );
    });
  }
}
