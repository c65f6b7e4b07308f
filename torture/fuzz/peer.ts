/** Bare sockets to the server, from many local addresses, so that a hundred thousand do not run out of ports. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const ADDRESSES = 100;
const counter = { next: 0 };

export async function connectPeer(port: number, allowHalfOpen = false): Promise<Socket> {
  const localAddress = `127.0.0.${2 + (counter.next++ % ADDRESSES)}`;
  const socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true, allowHalfOpen });
  // The server may reset a peer at any time; how a connection ended is seen when it is closed.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

export function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}
