/**
 * A socket that carries frames. Whoever owns the channel (the handshake, then the connection) sets the
 * handlers; they are plain fields, so that the owner can change while a chunk is being decoded.
 */
import type { Socket } from "node:net";
import { type Frame, FrameDecoder, HANDSHAKE_FRAME_BYTES_MAX } from "varve-protocol";

export class Channel {
  /** For messages: host:port. */
  readonly address: string;
  readonly socket: Socket;
  /** Resolves when the socket is closed, for whatever reason. */
  readonly closed: Promise<void>;
  onFrame: (frame: Frame) => void = ignore;
  /** The channel ended, by either side or by an error; called once, and nothing else after it. */
  onEnd: (cause: Error) => void = ignore;
  readonly #decoder = new FrameDecoder(HANDSHAKE_FRAME_BYTES_MAX);
  #ended = false;

  constructor(socket: Socket, address: string) {
    this.socket = socket;
    this.address = address;
    let socketError: Error | undefined;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", (error) => {
      socketError = error;
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.destroy(socketError ?? new Error("the peer ended the connection"));
        resolve();
      });
    });
  }

  /** The largest frame taken from here on. */
  set frameBytesMax(bytes: number) {
    this.#decoder.frameBytesMax = bytes;
  }

  /** Ends at once. */
  destroy(cause: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#decoder.stop();
    this.socket.destroy();
    this.onEnd(cause);
  }

  /** Ends when what was written is with the operating system. */
  finish(): void {
    this.socket.destroySoon();
  }

  #onData(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk, this.#deliver);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  readonly #deliver = (frame: Frame): void => this.onFrame(frame);
}

function ignore(): void {}
