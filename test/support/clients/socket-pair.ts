import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer, type ClientOptions } from "ws";

/** Both ends of a WebSocket on this machine, and the stream below the server's end. */
export async function openSocketPair(
  options: ClientOptions = {},
): Promise<{ ours: WebSocket; stream: Duplex; theirs: WebSocket; close(): Promise<void> }> {
  const http = createServer();
  const server = new WebSocketServer({ noServer: true });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const theirs = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, options);
  const opened = once(theirs, "open");
  const [request, stream, head] = (await once(http, "upgrade")) as [
    IncomingMessage,
    Duplex,
    Buffer,
  ];
  const ours = await new Promise<WebSocket>((resolve) =>
    server.handleUpgrade(request, stream, head, resolve),
  );
  await opened;
  return {
    ours,
    stream,
    theirs,
    async close() {
      theirs.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
