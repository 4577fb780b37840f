import { setTimeout as pause } from "node:timers/promises";
import { startPgBouncer } from "../../support/stores/pgbouncer.js";
import { createTcpProxy, type TcpProxy } from "../../support/stores/tcp-proxy.js";
import { freezeServer } from "../faults/signals.js";
import type { Named } from "./chaos-redis.js";

/** PgBouncer in transaction mode, between proxies on both sides. */
export interface ChaosPgBouncer {
  /** On the way from the service. */
  proxy: TcpProxy;
  faults(aWhile: () => number): Named[];
  close(): Promise<void>;
}

/** Fewer connections than the processes want. */
const FEW_CLIENTS = 10;
/** Fewer than the clients, so that each meets the servers of the others. */
const SETTINGS = ["default_pool_size = 10", "max_client_conn = 200", "server_login_retry = 1"];

export async function openPgBouncer(folder: string, serverUrl: string): Promise<ChaosPgBouncer> {
  const bouncer = await startPgBouncer(serverUrl, { folder, settings: SETTINGS });
  const proxy = await createTcpProxy(bouncer.urlOf(serverUrl));
  return {
    proxy,
    faults: (aWhile) => [
      [
        "PgBouncer killed",
        async () => {
          await bouncer.kill();
          await bouncer.start();
        },
      ],
      ["PgBouncer frozen", () => freezeServer(bouncer, aWhile())],
      [
        "PgBouncer refuses connections",
        () =>
          bouncer.withSetting({ name: "max_client_conn", value: FEW_CLIENTS }, async () => {
            proxy.cut();
            await pause(aWhile());
          }),
      ],
    ],
    async close() {
      await proxy.close();
      await bouncer.close();
    },
  };
}
