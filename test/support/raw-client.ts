/** A connection to a server on the level of frames: says what a client never would. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type Answer,
  decodeAnswer,
  encodeHello,
  FrameDecoder,
  FrameWriter,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
} from "varve-protocol";

const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export class RawClient {
  readonly socket: Socket;
  /** In the order in which they came. */
  readonly answers: (Answer & { readonly requestId: number })[] = [];
  readonly closed: Promise<unknown>;
  /** Chunks that came: about how many writes the server made. */
  chunks = 0;
  readonly #decoder = new FrameDecoder(FRAME_BYTES_MAX);
  #changed: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("close", () => this.#changed());
    socket.on("data", (chunk) => {
      this.chunks++;
      this.#decoder.push(chunk, (frame) => {
        this.answers.push({ requestId: frame.requestId, ...decodeAnswer(frame) });
      });
      this.#changed();
    });
  }

  /** Connected, and nothing said yet. */
  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    // Before anything can happen: how a connection ended is seen when it is closed.
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Connected and welcomed. */
  static async greeted(port: number, frameBytesMax = FRAME_BYTES_MAX): Promise<RawClient> {
    const client = await RawClient.connect(port);
    client.socket.write(hello(frameBytesMax));
    await client.until(() => client.answers.length === 1);
    client.answers.length = 0;
    return client;
  }

  /** Resolves when the condition holds; rejects where the connection ends first. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.socket.closed) throw new Error("the connection ended before what was waited for");
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** The answers so far by request id. */
  answersTo(requestId: number): RawClient["answers"] {
    return this.answers.filter((answer) => answer.requestId === requestId);
  }

  send(encode: (writer: FrameWriter) => unknown): void {
    this.socket.write(frames(encode));
  }
}

/** The bytes of what `encode` writes. */
export function frames(encode: (writer: FrameWriter) => unknown): Uint8Array {
  const writer = new FrameWriter();
  encode(writer);
  return writer.take();
}

export function hello(frameBytesMax = FRAME_BYTES_MAX): Uint8Array {
  return frames((writer) =>
    encodeHello(writer, {
      versionMin: PROTOCOL_VERSION_MIN,
      versionMax: PROTOCOL_VERSION_MAX,
      features: 0,
      frameBytesMax,
      clientName: "raw",
    }),
  );
}
