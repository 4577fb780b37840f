import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

export interface IdleUpgrades {
  /** Number of completed upgrades. */
  readonly upgraded: number;
  /** Opens more sockets, which send nothing and do not answer a close. */
  open(count: number): void;
  /** Continues to open sockets at this rate. */
  keepOpening(perSecond: number): void;
  close(): void;
}

/** A hostile peer that sends WebSocket upgrades without a token from one address. */
export function createIdleUpgrades(url: string, localAddress = "127.0.0.1"): IdleUpgrades {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let upgraded = 0;
  let timer: NodeJS.Timeout | undefined;

  function openOne(): void {
    const socket = connect({ port: Number(port), host: hostname, localAddress });
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", (answer) => void (answer.includes("101") && upgraded++));
    // Without reading, the end of the other side would not be detected.
    socket.resume();
    const key = randomBytes(16).toString("base64");
    socket.write(
      `GET /graphql HTTP/1.1\r\nhost: ${hostname}:${port}\r\nconnection: ` +
        "Upgrade\r\nupgrade: websocket\r\n" +
        "sec-websocket-version: 13\r\nsec-websocket-key: " +
        `${key}\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n`,
    );
    sockets.add(socket);
  }

  return {
    get upgraded() {
      return upgraded;
    },
    open(count) {
      for (let i = 0; i < count; i++) openOne();
    },
    keepOpening(perSecond) {
      timer = setInterval(openOne, 1000 / perSecond);
    },
    close() {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}
