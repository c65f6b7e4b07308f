#!/usr/bin/env node
/** The command line, `varve`. */
import { run } from "./program.ts";

await run(process.argv.slice(2));
