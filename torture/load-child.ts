/**
 * A client as a process of its own: at each message puts load on the server that it names, until that server
 * is gone or the parent says to stop, then reports what it observed. It outlives the servers, so its record
 * does, too.
 */
import { connect } from "varve-client";
import { VarveError } from "../src/errors.ts";
import { Load } from "./load.ts";
import type { LoadOrder, LoadReport } from "./load-process.ts";
import { Observer } from "./observer.ts";

const name = process.argv[2] ?? "client";
const observer = new Observer(name);
const running: { load: Load | undefined; stopped: boolean } = { load: undefined, stopped: false };

process.on("message", (order: LoadOrder) => {
  if (order.kind === "stop") {
    running.stopped = true;
    running.load?.stop();
  } else {
    running.stopped = false;
    void run(order).then((report) => process.send?.(report));
  }
});
// The parent decides when it is over, also where a key press reaches all processes of the terminal.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit(0));

async function run(order: LoadOrder & { kind: "run" }): Promise<LoadReport> {
  try {
    const client = await connect(order.url, { name });
    running.load = new Load(client, observer, `${name}.${order.round}`, order.seed);
    if (!running.stopped) await running.load.run(order.inFlight);
    await client.close();
  } catch (error) {
    // The server may be killed before it has welcomed us.
    if (!(error instanceof VarveError) || error.code !== "CONNECTION_FAILED") throw error;
  } finally {
    running.load = undefined;
  }
  return observer.take();
}
