/** The TCP server: listens, counts connections, and closes without losing an answer. */
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { CONNECTION_REQUEST_ID, encodeError, FrameWriter, type Limits } from "varve-protocol";
import { VarveError } from "../errors.ts";
import { type Clock, systemClock } from "../fs/clock.ts";
import type { ConnectionPicture } from "../telemetry/telemetry.ts";
import { Connection } from "./connection.ts";
import { RequestMeter, type ServerTelemetry } from "./request-meter.ts";
import type { ServedStore } from "./served-store.ts";
import type { Counters, ServerContext, ServerLogger } from "./server-context.ts";
import { BATCH_FRAME_SHARE, resolveServerSettings, type ServerSettings } from "./server-options.ts";
import { SnapshotLeases } from "./snapshot-leases.ts";

const REFUSED_RETRY_MS = 1000;

export interface ServerOptions extends Partial<ServerSettings> {
  readonly store: ServedStore;
  /** The store's own limits, which clients are told. */
  readonly storeLimits: Pick<
    Limits,
    "keyBytesMax" | "valueBytesMax" | "batchBytesMax" | "batchOperationsMax"
  >;
  readonly version: string;
  readonly logger: ServerLogger;
  /** By which leases run out; the system's by default. */
  readonly clock?: Clock;
  /** Is told of every request, if there is one. */
  readonly telemetry?: ServerTelemetry;
}

/** What the server tells of itself; counters run from its start. */
export interface ServerStats extends Counters {
  /** Open now, as are these. */
  readonly connections: number;
  readonly inFlight: number;
  readonly scans: number;
  readonly snapshots: number;
}

export class Server {
  readonly #context: ServerContext;
  readonly #server: NetServer;
  readonly #connections = new Set<Connection>();
  #lastConnectionId = 0;
  #closing: Promise<void> | undefined;

  constructor({ store, storeLimits, version, logger, clock, telemetry, ...rest }: ServerOptions) {
    const settings = resolveServerSettings(rest);
    const counters: Counters = {
      accepted: 0,
      refused: 0,
      bytesIn: 0,
      bytesOut: 0,
      protocolErrors: 0,
      watches: 0,
      requests: {},
    };
    const { frameBytesMax, requestsInFlightMax } = settings;
    const batchBytesMax = Math.floor(
      Math.min(storeLimits.batchBytesMax, frameBytesMax * BATCH_FRAME_SHARE),
    );
    const isClosing = () => this.#closing !== undefined;
    this.#context = {
      store,
      settings,
      limits: { ...storeLimits, batchBytesMax, frameBytesMax, requestsInFlightMax },
      version,
      logger,
      counters,
      meter: telemetry === undefined ? undefined : new RequestMeter(telemetry),
      snapshots: new SnapshotLeases(store, settings, clock ?? systemClock),
      get isClosing() {
        return isClosing();
      },
      stats: () => ({ server: this.stats(), store: store.stats() }),
      closed: (connection) => this.#connections.delete(connection),
    };
    // Half open: a client may end its side and still be answered.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
  }

  /** Resolves with the port, which the system chooses for port 0. Rejects where it cannot be had. */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port, host }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  stats(): ServerStats {
    let inFlight = 0;
    let scans = 0;
    for (const connection of this.#connections) {
      inFlight += connection.inFlight.size;
      scans += connection.scans.size;
    }
    const { counters, snapshots } = this.#context;
    const connections = this.#connections.size;
    return { connections, inFlight, scans, snapshots: snapshots.count, ...counters };
  }

  /** Those with the most traffic, at most `max` of them. */
  connections(max: number): ConnectionPicture[] {
    const traffic = ({ bytesIn, bytesOut }: Connection) => bytesIn + bytesOut;
    return [...this.#connections]
      .sort((a, b) => traffic(b) - traffic(a))
      .slice(0, max)
      .map((connection) => ({
        id: connection.id,
        peer: connection.peer,
        client: connection.clientName,
        since: connection.since,
        in_flight: connection.inFlight.size,
        scans: connection.scans.size,
        watches: connection.watches.size,
        bytes_in: connection.bytesIn,
        bytes_out: connection.bytesOut,
      }));
  }

  /** Takes no new connections and requests, answers those in flight, and ends. Calling it twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // In a step of its own, so that `isClosing` holds for what it causes.
    await Promise.resolve();
    for (const connection of this.#connections) connection.shutDown();
    const timer = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, this.#context.settings.closeTimeoutMs);
    await closed;
    clearTimeout(timer);
  }

  #accept(socket: Socket): void {
    const { settings, counters, logger } = this.#context;
    if (this.#connections.size >= settings.connectionsMax) {
      counters.refused++;
      logger.warn({ connections: this.#connections.size }, "refused a connection: too many");
      const writer = new FrameWriter();
      const message = `the server has ${settings.connectionsMax} connections already`;
      const error = new VarveError("OVERLOADED", message, { retryAfterMs: REFUSED_RETRY_MS });
      encodeError(writer, CONNECTION_REQUEST_ID, error);
      socket.on("error", () => socket.destroy());
      socket.end(writer.take());
      socket.resume();
      return;
    }
    counters.accepted++;
    this.#connections.add(new Connection(socket, this.#context, ++this.#lastConnectionId));
  }
}
