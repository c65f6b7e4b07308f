/** What the rounds share: a directory that servers come and go on, client processes, and the ledger. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "varve-client";
import {
  type LaunchedServer,
  launchServer,
  type ServerProcess,
} from "../bench/support/server-process.ts";
import { Random } from "../test/support/random.ts";
import { ALL_KEYS } from "./entries.ts";
import { Ledger } from "./ledger.ts";
import { LoadProcess } from "./load-process.ts";
import { metLater } from "./met-later.ts";
import { Observer } from "./observer.ts";

export interface RigOptions {
  readonly seed: number;
  readonly clients: number;
  /** The server's program and its own arguments, where it is not Varve's. */
  readonly program?: readonly [main: string, ...args: string[]];
}

/** So small that every round flushes and compacts, up to so large that a round stays in the log. */
const MEMORY_BUDGETS = ["256KiB", "1MiB", "8MiB"] as const;

export class Rig implements AsyncDisposable {
  readonly directory: string;
  readonly random: Random;
  readonly ledger = new Ledger();
  readonly clients: readonly LoadProcess[];
  readonly #program: readonly [main?: string, ...args: string[]];
  readonly #verifier = new Observer("verifier");
  readonly #removeDirectory: () => void;
  #server: LaunchedServer | undefined;
  #keepsDirectory = false;

  constructor({ seed, clients, program }: RigOptions) {
    this.random = new Random(seed);
    this.#program = program ?? [];
    this.directory = mkdtempSync(join(tmpdir(), "varve-torture-"));
    this.clients = Array.from({ length: clients }, (_, i) => new LoadProcess(`client${i}`));
    this.#removeDirectory = () => {
      if (this.#keepsDirectory) return;
      rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once("exit", this.#removeDirectory);
  }

  /** The data directory of the servers. */
  get data(): string {
    return join(this.directory, "data");
  }

  /** A failure leaves what it happened on. */
  keepDirectory(): void {
    this.#keepsDirectory = true;
  }

  /** One server at a time, since they have one directory. */
  launch(): LaunchedServer {
    const [main, ...args] = this.#program;
    const budget = this.random.pick(MEMORY_BUDGETS);
    this.#server = launchServer(this.data, [...args, "--memory-budget", budget], main);
    return this.#server;
  }

  /** Reads everything in each way that there is, for the ledger to judge; nothing else may be under way. */
  async readEverything(server: ServerProcess): Promise<Observer> {
    const client = await connect(server.url, { name: "verifier" });
    await this.#verifier.scan(client);
    await this.#verifier.getMany(client, ALL_KEYS);
    await this.#verifier.scan(client, true);
    await client.close();
    return this.#verifier;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server !== undefined) metLater(this.#server.serving);
    await this.#server?.kill();
    await Promise.all(this.clients.map((client) => client[Symbol.asyncDispose]()));
    process.off("exit", this.#removeDirectory);
    this.#removeDirectory();
  }
}
