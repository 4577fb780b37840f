// What a fan-out costs with nothing in the way: a process that writes frames as long as the
// service's to all its sockets, a job's worth in one write, as often as it is told to.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

const FRAME_LENGTH = 260;
const frame = Buffer.concat([
  Buffer.of(0x81, 126, FRAME_LENGTH >> 8, FRAME_LENGTH & 255),
  Buffer.alloc(FRAME_LENGTH, "x"),
]);
const job = Buffer.concat([frame, frame, frame]);
const streams = new Set<Duplex>();

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer().on("upgrade", (request, stream, head) =>
  sockets.handleUpgrade(request, stream, head, (socket) =>
    socket.on("message", (data) => {
      const { type } = JSON.parse(String(data)) as { type: string };
      if (type === "connection_init") socket.send('{"type":"connection_ack"}');
      if (type !== "ping") return;
      socket.send('{"type":"pong"}');
      streams.add(stream);
    }),
  ),
);
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => {
  for (const stream of streams) stream.write(job);
});
process.on("disconnect", () => process.exit());
