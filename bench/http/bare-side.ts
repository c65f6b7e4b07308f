/** The bare server of the `http` suite in a process of its own. */
import { parseArgs } from "node:util";
import { answerQuestions } from "../support/side-process.ts";
import { BareServer } from "./bare-server.ts";
import { type Data, requestsOf } from "./requests.ts";
import { KINDS } from "./tasks.ts";

export interface BareSpec {
  /** Of Varve's server, whose answers are recorded. */
  readonly url: string;
  readonly data: Data;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as BareSpec;

const server = new BareServer();

/** Resolves with the port. */
answerQuestions(async (_question: { readonly listen: true }) => {
  for (const kind of KINDS) {
    const requests = requestsOf(kind, spec.data);
    await server.record(spec.url, requests[0]?.method === "GET" ? requests : requests.slice(0, 1));
  }
  return server.listen();
});
