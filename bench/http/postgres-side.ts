/** The application over PostgreSQL in a process of its own; the database is another. */
import { parseArgs } from "node:util";
import { answerQuestions } from "../support/side-process.ts";
import { postgresApp } from "./postgres-app.ts";
import { PostgresStore } from "./postgres-store.ts";

export interface PostgresSpec {
  /** The directory of the server's socket. */
  readonly host: string;
  readonly user: string;
}

const { values: args } = parseArgs({ options: { spec: { type: "string" } } });
const spec = JSON.parse(args.spec ?? "{}") as PostgresSpec;

const store = await PostgresStore.create(spec.host, spec.user);
const app = postgresApp(store);

/** `listen` resolves with the port. */
answerQuestions(async (question: { readonly listen: true } | { readonly settle: true }) => {
  if ("settle" in question) return store.settle();
  return Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
});
