/**
 * Peers that break no rule of the protocol and are a burden all the same: they come in crowds, say nothing,
 * end half-way, do not listen, or leave their scans open.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../test/support/random.ts";
import { RawClient } from "../../test/support/raw-client.ts";
import { TortureFailure } from "../ledger.ts";
import { helloFrame, randomRequest, requestFrame } from "./frames.ts";
import { connectPeer, ended } from "./peer.ts";

/** Open at one time, well below what a process may open by default. */
const AT_ONCE = 250;
const SCANS_A_CONNECTION = 60;
const SLOW_HELLO = helloFrame("slow");
const SLOW_STEP_MS = 600;
const SLOW_MS_MAX = 20_000;
const DEAF_REQUESTS = 300;
const HALF_OPEN_REQUESTS = 20;

/** Connections that are opened and left, before or after their HELLO. */
export async function abandonConnections(
  port: number,
  random: Random,
  count: number,
): Promise<void> {
  for (let opened = 0; opened < count; opened += AT_ONCE) {
    const sockets = await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - opened) }, () => connectPeer(port)),
    );
    const gone = sockets.map(ended);
    for (const socket of sockets) {
      if (random.chance(60)) socket.write(helloFrame("passer-by"));
      if (random.chance(30)) socket.write(requestFrame(1, randomRequest(random)));
    }
    for (const socket of sockets) {
      if (random.chance(50)) socket.destroy();
      else socket.resetAndDestroy();
    }
    await Promise.all(gone);
  }
}

/** Scans that are opened, read a little and left; some are cancelled, most just vanish with their connection. */
export async function abandonScans(port: number, random: Random, count: number): Promise<void> {
  for (let opened = 0; opened < count; opened += SCANS_A_CONNECTION) {
    const client = await RawClient.greeted(port);
    const scans = Math.min(SCANS_A_CONNECTION, count - opened);
    client.send((writer) => {
      for (let id = 1; id <= scans; id++) {
        // A credit of one byte lets one page through, so that the cursor stays open.
        writer.data(requestFrame(id, { kind: "SCAN", credit: 1, options: {} }));
      }
    });
    await client.until(() => client.answers.length >= scans);
    for (let id = 1; id <= scans; id++) {
      if (random.chance(30))
        client.send((writer) => writer.data(requestFrame(id, { kind: "CANCEL" })));
    }
    if (random.chance(50)) client.socket.end();
    else client.socket.destroy();
    await client.closed;
  }
}

/** Peers that take their time over HELLO, some for ever: the server must end every one of them. */
export async function slowHellos(port: number, random: Random, count: number): Promise<void> {
  const slow = async (bytes: number) => {
    const socket = await connectPeer(port);
    const gone = ended(socket).then(() => "gone");
    socket.resume();
    const talk = async () => {
      for (let at = 0; at < bytes && socket.writable; at++) {
        socket.write(SLOW_HELLO.subarray(at, at + 1));
        await delay(SLOW_STEP_MS);
      }
    };
    void talk();
    const late = delay(SLOW_MS_MAX, "late", { ref: false });
    const outcome = await Promise.race([gone, late]);
    socket.destroy();
    if (outcome === "late") {
      throw new TortureFailure(`a peer that had not said HELLO for ${SLOW_MS_MAX} ms stayed`, []);
    }
  };
  const peers = Array.from({ length: count }, () => slow(random.below(SLOW_HELLO.length)));
  await Promise.all(peers);
}

/** Peers that end their side after their last request, and then are owed every answer. */
export async function halfOpen(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const client = await RawClient.greeted(port);
    client.send((writer) => {
      for (let id = 1; id <= HALF_OPEN_REQUESTS; id++) {
        writer.data(requestFrame(id, { kind: "GET", key: new Uint8Array([id]) }));
      }
    });
    client.socket.end();
    await client.closed;
    if (client.answers.length === HALF_OPEN_REQUESTS) continue;
    const message = `a half-open connection got ${client.answers.length} answers of ${HALF_OPEN_REQUESTS}`;
    throw new TortureFailure(message, []);
  }
}

/** Peers that ask for much and read nothing, until the signal fires. */
export async function deafPeers(port: number, count: number, until: AbortSignal): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: count }, () => connectPeer(port)));
  const gone = sockets.map(ended);
  for (const socket of sockets) {
    socket.pause();
    socket.write(helloFrame("deaf"));
    for (let id = 1; id <= DEAF_REQUESTS && socket.writable; id++) {
      const credit = 0xffffffff;
      socket.write(requestFrame(id, { kind: "SCAN", credit, options: {} }));
      socket.write(requestFrame(DEAF_REQUESTS + id, { kind: "STATS" }));
    }
  }
  if (!until.aborted) await new Promise((resolve) => until.addEventListener("abort", resolve));
  for (const socket of sockets) socket.destroy();
  await Promise.all(gone);
}
