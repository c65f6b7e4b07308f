import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    pool: "forks",
    reporters: ["default", "./test/support/plain-reporter.ts"],
    // CommonJS packages are imported as Node itself imports them.
    deps: { interopDefault: false },
  },
});
