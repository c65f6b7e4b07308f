/** The HTTP server: listens, counts connections, and closes without losing an answer. */
import type { Server as NodeServer } from "node:http";
import type { Socket } from "node:net";
import { VarveError } from "../errors.ts";
import { Telemetry } from "../telemetry/telemetry.ts";
import { Access, type AccessTokens } from "./access.ts";
import { createApp } from "./app.ts";
import { Bodies } from "./bodies.ts";
import { RequestCounts } from "./guards.ts";
import type { HttpContext, HttpLogger, HttpStore } from "./http-context.ts";
import { type HttpSettings, resolveHttpSettings } from "./http-options.ts";
import { OpenStreams } from "./open-streams.ts";
import { rawProblem } from "./problems.ts";
import { UnsentAnswers } from "./unsent-answers.ts";

const REFUSED_RETRY_MS = 1000;
/** How often it is looked whether connections have become idle, at the end. */
const CLOSE_CHECK_MS = 20;

export interface HttpServerOptions extends Partial<HttpSettings> {
  readonly store: HttpStore;
  readonly version: string;
  readonly logger: HttpLogger;
  /** Of all doors; unless given, of this one alone, and without samples. Its timer is its owner's. */
  readonly telemetry?: Telemetry;
  /** Without them all may do all. */
  readonly tokens?: AccessTokens;
  /** What the store is opened as; every write is refused then. */
  readonly isReadOnly?: boolean;
}

export interface HttpStats {
  readonly connections: number;
  readonly accepted: number;
  readonly refused: number;
  readonly requests: number;
  readonly inFlight: number;
  /** Ranges and changes that are being streamed. */
  readonly streams: number;
  /** Bodies that are being read or worked on. */
  readonly bodyBytes: number;
  /** Large answers that wait for their readers. */
  readonly answerBytes: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export class HttpServer {
  readonly #options: Omit<HttpServerOptions, keyof HttpSettings> & {
    readonly telemetry: Telemetry;
  };
  readonly #settings: HttpSettings;
  readonly #counts = new RequestCounts();
  readonly #streams: OpenStreams;
  readonly #bodies: Bodies;
  readonly #unsent: UnsentAnswers;
  readonly #sockets = new Set<Socket>();
  #accepted = 0;
  #refused = 0;
  /** Of connections that have ended. */
  #bytesIn = 0;
  #bytesOut = 0;
  #server: NodeServer | undefined;
  #closing: Promise<void> | undefined;

  constructor({
    store,
    version,
    logger,
    telemetry,
    tokens,
    isReadOnly,
    ...rest
  }: HttpServerOptions) {
    this.#options = {
      store,
      version,
      logger,
      telemetry:
        telemetry ??
        new Telemetry({
          store: () => store.stats(),
          tcp: () => ({}),
          http: () => this.stats(),
        }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(isReadOnly === undefined ? {} : { isReadOnly }),
    };
    this.#settings = resolveHttpSettings(rest);
    this.#streams = new OpenStreams(this.#settings.streamsMax);
    this.#bodies = new Bodies(this.#settings.bodiesBytesMax);
    this.#unsent = new UnsentAnswers(this.#settings.answersBytesMax);
  }

  /** Resolves with the port, which the system chooses for port 0. Rejects where it cannot be had. Once. */
  async listen(port: number, host: string): Promise<number> {
    const app = await createApp(this.#contextFor(host), this.#counts);
    const { server } = app;
    this.#server = server;
    this.#limitConnections(server);
    server.on("checkContinue", (request, response) => {
      this.#bodies.expect(request);
      server.emit("request", request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  stats(): HttpStats {
    let bytesIn = this.#bytesIn;
    let bytesOut = this.#bytesOut;
    for (const socket of this.#sockets) {
      bytesIn += socket.bytesRead;
      bytesOut += socket.bytesWritten;
    }
    return {
      connections: this.#sockets.size,
      accepted: this.#accepted,
      refused: this.#refused,
      requests: this.#counts.taken,
      inFlight: this.#counts.inFlight,
      streams: this.#streams.count,
      bodyBytes: this.#bodies.bytes,
      answerBytes: this.#unsent.bytes,
      bytesIn,
      bytesOut,
    };
  }

  /** Takes no new connections and requests, ends streams, answers what is in flight. Calling it twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // In a step of its own, so that `isClosing` holds for what it causes.
    await Promise.resolve();
    const server = this.#server;
    if (server === undefined || !server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const message = "the server is shutting down";
    this.#streams.endAll(new VarveError("SHUTTING_DOWN", message, { retryable: true }));
    const deadlineMs = performance.now() + this.#settings.closeTimeoutMs;
    const timer = setInterval(() => {
      server.closeIdleConnections();
      // Connections on which nothing was ever asked do not count as idle.
      const isDone = this.#counts.inFlight === 0;
      if (isDone || performance.now() > deadlineMs) server.closeAllConnections();
    }, CLOSE_CHECK_MS);
    await closed;
    clearInterval(timer);
  }

  #contextFor(host: string): HttpContext {
    const { store, version, logger, telemetry, tokens, isReadOnly } = this.#options;
    const isClosing = () => this.#closing !== undefined;
    return {
      store,
      version,
      logger,
      telemetry,
      settings: this.#settings,
      access: new Access(tokens, host),
      bodies: this.#bodies,
      unsent: this.#unsent,
      streams: this.#streams,
      isReadOnly: isReadOnly ?? false,
      get isClosing() {
        return isClosing();
      },
    };
  }

  /** Stands before Node's own handler of connections, so that one too many is told so, and is not read from. */
  #limitConnections(server: NodeServer): void {
    const accept = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) => {
      if (this.#sockets.size >= this.#settings.connectionsMax) {
        this.#refuse(socket);
        return;
      }
      this.#accepted++;
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#bytesIn += socket.bytesRead;
        this.#bytesOut += socket.bytesWritten;
      });
      for (const listener of accept) listener.call(server, socket);
    });
  }

  #refuse(socket: Socket): void {
    this.#refused++;
    const connections = this.#sockets.size;
    this.#options.logger.warn({ connections }, "refused a connection: too many");
    const message = `the server has ${connections} connections already`;
    const error = new VarveError("OVERLOADED", message, { retryAfterMs: REFUSED_RETRY_MS });
    socket.on("error", () => socket.destroy());
    socket.end(rawProblem(error), () => socket.destroy());
    socket.resume();
  }
}
