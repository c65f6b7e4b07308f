/** From an address to a client that is ready for calls. */
import { connect as connectSocket } from "node:net";
import { Channel } from "./channel.ts";
import { VarveClient } from "./client.ts";
import { Connection } from "./connection.ts";
import { shakeHands } from "./handshake.ts";
import { type ConnectOptions, resolveSettings, type Settings } from "./options.ts";

/**
 * Connects to `varve://host:port` (port 7420 by default) and shakes hands. Rejects with `INVALID_ARGUMENT`
 * for a wrong address or option, with `CONNECTION_FAILED` where no connection could be made, and with
 * the server's own error where it refuses: `UNSUPPORTED_PROTOCOL`, `OVERLOADED`, `SHUTTING_DOWN`.
 */
export async function connect(url: string, options: ConnectOptions = {}): Promise<VarveClient> {
  const settings = resolveSettings(url, options);
  const open = () => openConnection(settings);
  return new VarveClient(await open(), open);
}

async function openConnection(settings: Settings): Promise<Connection> {
  const { host, port } = settings;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const channel = new Channel(connectSocket({ host, port, noDelay: true }), address);
  return shakeHands(channel, settings, (welcome) => new Connection(channel, welcome, settings));
}
