import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";

export interface HttpOnlyProxy {
  url: string;
  /** Number of requests that asked for an upgrade. */
  readonly upgrades: number;
  /** Cuts all connections; new ones are accepted. */
  cut(): void;
  close(): Promise<void>;
}

/** A proxy that forwards HTTP and drops upgrades, as some company networks do. */
export async function createHttpOnlyProxy(target: string): Promise<HttpOnlyProxy> {
  const { hostname, port } = new URL(target);
  let upgrades = 0;
  const server = createServer((request, response) => {
    const { connection: _, upgrade, ...headers } = request.headers;
    if (upgrade !== undefined) {
      upgrades++;
      return void response.writeHead(400).end();
    }
    const { method, url: path } = request;
    const forwarded = forward({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.on("close", () => void (answer.complete || response.destroy()));
    });
    forwarded.on("error", () => response.destroy());
    response.on("close", () => forwarded.destroy());
    request.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get upgrades() {
      return upgrades;
    },
    cut: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
