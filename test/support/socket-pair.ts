import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import type { ClientOptions } from "ws";

/** Both ends of a socket on this machine. */
export async function openSocketPair(options: ClientOptions = {}): Promise<{ ours: WebSocket; theirs: WebSocket; close(): Promise<void> }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const theirs = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options);
  const [[ours]] = await Promise.all([once(server, "connection"), once(theirs, "open")]);
  return {
    ours: ours as WebSocket,
    theirs,
    async close() {
      theirs.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
