import { freePort } from "../../src/embedded/ports.js";
import type { Rig } from "../rig.js";
import { spawnPeer } from "../spawn-peer.js";

/**
 * The limit of the machine: a server with the same requests and frames, but without a GraphQL
 * engine, a framework or a queue. Its page is one statement on the tables of the naive peer.
 */
export async function startBareServer(
  rig: Rig,
): Promise<{ url: string; processes: Record<string, number>; close(): Promise<void> }> {
  const port = await freePort();
  const database = Object.assign(new URL(rig.postgres.url), { pathname: "/naive" }).href;
  const server = await spawnPeer({
    name: "bare-server",
    script: "./peers/bare/server.js",
    env: { PORT: String(port), DATABASE_URL: database },
    logs: rig.logs,
  });
  return {
    url: `http://127.0.0.1:${port}`,
    processes: { api: server.pid },
    close: () => server.stop(),
  };
}
