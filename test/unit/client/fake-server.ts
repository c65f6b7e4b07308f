/**
 * A server that does nothing by itself: a test takes requests off it and answers them as it likes. Only the
 * handshake is answered, unless the test wants that, too.
 */

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import {
  type Answer,
  decodeRequest,
  encodeAnswer,
  FrameDecoder,
  FrameWriter,
  type Limits,
  type Request,
  type Welcome,
} from "varve-protocol";

export const LIMITS: Limits = {
  frameBytesMax: 2 ** 20,
  keyBytesMax: 16,
  valueBytesMax: 2 ** 19,
  batchBytesMax: 1000,
  batchOperationsMax: 10,
  requestsInFlightMax: 100,
};

export const WELCOME: Welcome = {
  version: 1,
  features: 0,
  limits: LIMITS,
  serverName: "fake",
  serverVersion: "1.2.3",
};

export type Received<Kind extends Request["kind"] = Request["kind"]> = {
  readonly id: number;
} & Extract<Request, { kind: Kind }>;

/** One accepted connection. */
export class Peer {
  readonly socket: Socket;
  /** Socket reads so far. */
  chunks = 0;
  readonly #received: Received[] = [];
  readonly #waiting: ((request: Received) => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new FrameDecoder(2 ** 26);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      this.chunks++;
      decoder.push(chunk, (frame) => {
        this.#take({ id: frame.requestId, ...decodeRequest(frame) } as Received);
      });
    });
  }

  /** The next request, which must be of this kind. */
  async take<Kind extends Request["kind"]>(kind: Kind): Promise<Received<Kind>> {
    const request =
      this.#received.shift() ??
      (await new Promise<Received>((resolve) => {
        this.#waiting.push(resolve);
      }));
    if (request.kind !== kind) throw new Error(`${kind} expected, ${request.kind} came`);
    return request as Received<Kind>;
  }

  /** Requests that have come and were not taken. */
  get untaken(): readonly Received[] {
    return this.#received;
  }

  answer(id: number, answer: Answer): void {
    this.socket.write(frameOf(id, answer));
  }

  #take(request: Received): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#received.push(request);
    else waiting(request);
  }
}

export function frameOf(id: number, answer: Answer): Uint8Array {
  const writer = new FrameWriter();
  encodeAnswer(writer, id, answer);
  return writer.take();
}

export class FakeServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #peers: Peer[] = [];
  readonly #waiting: ((peer: Peer) => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Answers every HELLO with `welcome`; with none, the test answers. */
  static async listen(welcome: Welcome | null = WELCOME): Promise<FakeServer> {
    const server = createServer({ noDelay: true });
    const fake = new FakeServer(server);
    server.on("connection", (socket) => fake.#accept(socket, welcome));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return fake;
  }

  static silent(): Promise<FakeServer> {
    return FakeServer.listen(null);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get url(): string {
    return `varve://127.0.0.1:${this.port}`;
  }

  /** The next connection, its handshake done if the server does it. */
  async accept(): Promise<Peer> {
    return (
      this.#peers.shift() ??
      (await new Promise<Peer>((resolve) => {
        this.#waiting.push(resolve);
      }))
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #accept(socket: Socket, welcome: Welcome | null): Promise<void> {
    this.#sockets.add(socket);
    const peer = new Peer(socket);
    if (welcome !== null) {
      await peer.take("HELLO");
      peer.answer(0, { kind: "WELCOME", ...welcome });
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#peers.push(peer);
    else waiting(peer);
  }
}
