import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    pool: "forks",
    // All processors: by default one is left free, which halves the speed where there are two.
    maxWorkers: availableParallelism(),
    reporters: ["default", "./test/support/plain-reporter.ts"],
    // CommonJS packages are imported as Node itself imports them.
    deps: { interopDefault: false },
  },
});
