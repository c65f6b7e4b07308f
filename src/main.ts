/** `npm start`: the server, with its defaults; what follows `--` is passed on to `varve serve`. */
import { run } from "./cli/program.ts";

await run(["serve", ...process.argv.slice(2)]);
