/** The bare server of the `http` suite in a process of its own. */
import { parseArgs } from "node:util";
import { answerQuestions } from "../support/side-process.ts";
import { BareServer } from "./bare-server.ts";
import { type Data, requestsOf } from "./requests.ts";

export interface BareSpec {
  /** Of Varve's server, whose answers are recorded. */
  readonly url: string;
  readonly data: Data;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as BareSpec;

const WRITES = ["PUT", "batch"] as const;
const READS = ["GET", "range"] as const;

const server = new BareServer();

/** Resolves with the port. */
answerQuestions(async (_question: { readonly listen: true }) => {
  // Writes first, so that the reads answer what is there afterwards.
  for (const kind of WRITES) await server.record(spec.url, requestsOf(kind, spec.data).slice(0, 1));
  for (const kind of READS) await server.record(spec.url, requestsOf(kind, spec.data));
  return server.listen();
});
