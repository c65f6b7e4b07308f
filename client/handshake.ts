/** HELLO and WELCOME, from the client's side. */
import {
  CONNECTION_REQUEST_ID,
  decodeError,
  decodeWelcome,
  encodeHello,
  FEATURES,
  type Frame,
  FrameWriter,
  OPCODE,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  unexpectedOpcode,
  VarveError,
  type Welcome,
} from "varve-protocol";
import type { Channel } from "./channel.ts";
import type { Settings } from "./options.ts";

/**
 * Waits for the socket to connect and for the server's WELCOME; `onWelcome` takes the channel over before
 * its next frame is decoded. Rejects with the server's own error where it refuses, else with
 * `CONNECTION_FAILED`.
 */
export function shakeHands<Result>(
  channel: Channel,
  settings: Settings,
  onWelcome: (welcome: Welcome) => Result,
): Promise<Result> {
  const { connectTimeoutMs } = settings;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => channel.destroy(new Error(`not connected within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    let refusal: VarveError | undefined;
    channel.onEnd = (cause) => {
      clearTimeout(timer);
      reject(refusal ?? connectionFailed(channel.address, cause));
    };
    channel.onFrame = (frame) => {
      if (frame.opcode === OPCODE.ERROR) {
        refusal = decodeError(frame);
        channel.destroy(refusal);
        return;
      }
      const welcome = readWelcome(frame);
      clearTimeout(timer);
      channel.frameBytesMax = settings.frameBytesMax;
      resolve(onWelcome(welcome));
    };
    channel.socket.once("connect", () => channel.socket.write(helloFrame(settings)));
  });
}

function helloFrame({ name, frameBytesMax }: Settings): Uint8Array {
  const writer = new FrameWriter();
  encodeHello(writer, {
    versionMin: PROTOCOL_VERSION_MIN,
    versionMax: PROTOCOL_VERSION_MAX,
    features: FEATURES,
    frameBytesMax,
    clientName: name,
  });
  return writer.take();
}

function readWelcome(frame: Frame): Welcome {
  if (frame.opcode !== OPCODE.WELCOME || frame.requestId !== CONNECTION_REQUEST_ID) {
    throw unexpectedOpcode(frame.opcode);
  }
  const welcome = decodeWelcome(frame);
  if (welcome.version < PROTOCOL_VERSION_MIN || welcome.version > PROTOCOL_VERSION_MAX) {
    const message = `the server chose protocol version ${welcome.version}`;
    throw new VarveError("PROTOCOL_ERROR", message);
  }
  return welcome;
}

function connectionFailed(address: string, cause: Error): VarveError {
  const message = `no connection to ${address}: ${messageOf(cause)}`;
  return new VarveError("CONNECTION_FAILED", message, { retryable: true, cause });
}

/** A failed attempt on several addresses has its messages inside. */
function messageOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : error.message;
}
