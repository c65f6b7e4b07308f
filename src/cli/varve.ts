#!/usr/bin/env node
/** The command line, `varve`. What was compiled stays in a cache of Node's, which makes a command start three times as fast. */
import { enableCompileCache } from "node:module";

enableCompileCache();
const { run } = await import("./program.ts");
await run(process.argv.slice(2));
