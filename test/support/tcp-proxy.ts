import { createServer, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface TcpProxy {
  /** The target's URL, with the address of the proxy in it. */
  url: string;
  /** Cuts what is open and refuses what comes, until `up`: a dead server. */
  down(): void;
  up(): void;
  /** Lets nothing through and closes nothing, until `thaw`: a peer that hangs. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** Stands between the code under test and a store, and breaks at will. `listen` hears what each client sends. */
export async function createTcpProxy(target: string, listen: () => (bytes: Buffer) => void = () => () => {}): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isFrozen = false;

  function join(from: Socket, to: Socket): void {
    sockets.add(from);
    if (isFrozen) from.pause();
    from.on("data", (bytes) => to.write(bytes));
    from.on("error", () => {});
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  }

  function cutAll(): void {
    for (const socket of sockets) socket.destroy();
  }

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    join(client, upstream);
    join(upstream, client);
    client.on("data", listen());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const own = (server.address() as AddressInfo).port;

  function down(): void {
    server.close();
    cutAll();
  }

  return {
    url: Object.assign(new URL(target), { hostname: "127.0.0.1", port: String(own) }).href,
    down,
    up: () => void (server.listening || server.listen(own, "127.0.0.1")),
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      down();
    },
  };
}
