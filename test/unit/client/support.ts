/** A client connected to a fake server, and short forms for what tests say often. */
import {
  type ConnectOptions,
  connect,
  type VarveClient,
  VarveError,
  type Welcome,
} from "varve-client";
import { expect } from "vitest";
import { FakeServer, type Peer } from "./fake-server.ts";

export interface Pair extends AsyncDisposable {
  readonly server: FakeServer;
  readonly peer: Peer;
  readonly client: VarveClient;
}

export async function connected(options: ConnectOptions = {}, welcome?: Welcome): Promise<Pair> {
  const server = await FakeServer.listen(welcome);
  const [client, peer] = await Promise.all([connect(server.url, options), server.accept()]);
  return {
    server,
    peer,
    client,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await client.close();
    },
  };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Holds a promise's failure against these fields; the promise may be settled already. */
export async function expectFailure(
  promise: Promise<unknown>,
  expected: Partial<VarveError>,
): Promise<VarveError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(VarveError);
  expect(error).toMatchObject(expected);
  return error;
}

/** The same failure, thrown at once. */
export function expectThrow(run: () => unknown, expected: Partial<VarveError>): void {
  expect(run).toThrow(expect.objectContaining({ name: "VarveError", ...expected }));
}
