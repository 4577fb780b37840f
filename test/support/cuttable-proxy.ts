import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface CuttableProxy {
  /** The target's URL, but through here. */
  url: string;
  /** Breaks every connection, and takes none until `restore`. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** A way to a server that a test can cut, so that the server is "away" while others go on using it. `listen` hears what each client sends. */
export async function startCuttableProxy(target: string, listen: () => (bytes: Buffer) => void = () => () => {}): Promise<CuttableProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on("data", listen());
    client.pipe(upstream).pipe(client);
  });
  const listenOn = (wanted: number) => new Promise<void>((resolve) => server.listen(wanted, "127.0.0.1", resolve));
  await listenOn(0);
  const own = (server.address() as AddressInfo).port;

  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  return { url: Object.assign(new URL(target), { hostname: "127.0.0.1", port: String(own) }).href, cut, restore: () => listenOn(own), close: cut };
}
