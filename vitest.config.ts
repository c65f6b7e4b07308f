import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    pool: "forks",
    // CommonJS packages are imported as Node itself imports them.
    deps: { interopDefault: false },
  },
});
