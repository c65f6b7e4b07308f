/**
 * Reads the bodies of requests. What is announced to be too long is refused before any of it is read, and what comes in
 * pieces as soon as it is; bytes are counted as they come, so all bodies together are bounded, also where many peers send
 * slowly. Pieces are copied into one buffer that grows, so that small ones cost no more than their bytes.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import { VarveError } from "../errors.ts";
import { assertFewParts } from "./json-text.ts";

const RETRY_MS = 1000;
const FIRST_BYTES = 16 * 1024;
/** How long a peer may go on to send, once its body was refused, so that it reads the answer and no reset. */
const LINGER_MS = 1000;

type Done = (error: Error | null, body?: Buffer) => void;

export class Bodies {
  readonly #bytesMax: number;
  /** Requests whose peers wait for `100 Continue`. */
  readonly #waiting = new WeakSet<IncomingMessage>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Held at present. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The peer sends the body once it is told to. */
  expect(request: IncomingMessage): void {
    this.#waiting.add(request);
  }

  /** Calls `done` once. The bytes count until the response is closed. */
  read(request: IncomingMessage, response: ServerResponse, bytesMax: number, done: Done): void {
    const { "content-length": announced } = request.headers;
    const length = announced === undefined ? undefined : Number(announced);
    const refuse = (error: VarveError) => {
      lingerOn(request);
      done(error);
    };
    const early = codingRefusal(request) ?? this.#refusal(length ?? 0, bytesMax);
    if (early !== undefined) {
      refuse(early);
      return;
    }
    if (this.#waiting.delete(request)) response.writeContinue();

    let body: Buffer | undefined;
    let received = 0;
    let held = 0;
    const hold = (bytes: number) => {
      if (held === 0) response.once("close", () => this.#drop(held));
      this.#bytes += bytes - held;
      held = bytes;
    };
    const stop = () => {
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onClose);
    };
    const onData = (chunk: Buffer) => {
      const needed = received + chunk.length;
      const isWhole = needed === length && body === undefined;
      const capacity = body?.length ?? 0;
      const bytes = isWhole
        ? needed
        : needed <= capacity
          ? capacity
          : grownBytes(needed, capacity, length ?? bytesMax);
      const error = needed > bytesMax ? tooLong(bytesMax) : this.#refusal(bytes - held, bytesMax);
      if (error !== undefined) {
        stop();
        refuse(error);
        return;
      }
      if (bytes !== held) hold(bytes);
      if (isWhole) {
        // All of it at once, as most are.
        body = chunk;
      } else {
        if (body === undefined || bytes > capacity) {
          const grown = Buffer.allocUnsafe(bytes);
          body?.copy(grown, 0, 0, received);
          body = grown;
        }
        chunk.copy(body, received);
      }
      received = needed;
    };
    const onEnd = () => {
      stop();
      done(null, body === undefined ? Buffer.alloc(0) : body.subarray(0, received));
    };
    const onClose = () => {
      stop();
      done(new VarveError("CONNECTION_LOST", "the connection ended before the body did"));
    };
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("close", onClose);
  }

  #drop(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Why so many bytes more, of a body of up to `bytesMax`, are not taken. */
  #refusal(bytes: number, bytesMax: number): VarveError | undefined {
    if (bytes > bytesMax) return tooLong(bytesMax);
    return this.#bytes + bytes > this.#bytesMax ? this.#full() : undefined;
  }

  #full(): VarveError {
    const message = `bodies of ${this.#bytes} bytes are being worked on, and ${this.#bytesMax} is all there is room for`;
    return new VarveError("OVERLOADED", message, { retryAfterMs: RETRY_MS });
  }
}

/** Throws `INVALID_ARGUMENT`. */
export function jsonText(body: Buffer): string {
  if (isUtf8(body)) return body.toString();
  throw new VarveError("INVALID_ARGUMENT", "the body is not UTF-8");
}

/** Throws `INVALID_ARGUMENT` and `BODY_TOO_LARGE`. */
export function parseJson(text: string): unknown {
  assertFewParts(text);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VarveError("INVALID_ARGUMENT", `the body is not JSON: ${why}`, { cause });
  }
}

/** Bodies are taken as they come: what is compressed would be stored so, and nobody told. */
function codingRefusal({ headers }: IncomingMessage): VarveError | undefined {
  const { "content-encoding": content = "identity", "transfer-encoding": transfer = "chunked" } =
    headers;
  if (content.toLowerCase() === "identity" && transfer.toLowerCase() === "chunked")
    return undefined;
  const message = "the body is encoded; send it as it is, in one piece or chunked";
  return new VarveError("UNSUPPORTED_MEDIA_TYPE", message);
}

function grownBytes(needed: number, present: number, bytesMax: number): number {
  return Math.max(needed, Math.min(bytesMax, Math.max(FIRST_BYTES, present * 2)));
}

function tooLong(bytesMax: number): VarveError {
  return new VarveError("BODY_TOO_LARGE", `the body is longer than ${bytesMax} bytes`);
}

/**
 * The answer closes the connection, as more of the body may come; what comes in the meantime is dropped, as an unread
 * byte would reset the connection under the answer.
 */
function lingerOn(request: IncomingMessage): void {
  const { socket } = request;
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
  request.resume();
}
