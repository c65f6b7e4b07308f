/** `npm start`: the server, with its defaults; what follows `--` is passed on to `varve serve`. */
import { enableCompileCache } from "node:module";

enableCompileCache();
const { run } = await import("./cli/program.ts");
await run(["serve", ...process.argv.slice(2)]);
