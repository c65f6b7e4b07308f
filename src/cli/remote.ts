/** What all commands that talk to a server share: where it is, how its answers are printed. */
import { Option } from "commander";
import { connect, type VarveClient } from "varve-client";
import { DEFAULT_PORT } from "varve-protocol";

export interface RemoteOptions {
  readonly url: string;
  readonly json?: boolean;
}

export function urlOption(): Option {
  return new Option("--url <url>", "the server")
    .env("VARVE_URL")
    .default(`varve://127.0.0.1:${DEFAULT_PORT}`);
}

export function jsonOption(): Option {
  return new Option("--json", "print JSON, for programs");
}

/** Runs `act` over a connection that is closed afterwards, whatever happens. */
export async function withClient<Result>(
  options: RemoteOptions,
  act: (client: VarveClient) => Promise<Result>,
): Promise<Result> {
  await using client = await connect(options.url, { name: "varve-cli" });
  return await act(client);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}
