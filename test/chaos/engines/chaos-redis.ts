import type { TcpProxy } from "../../support/stores/tcp-proxy.js";

/** Engines between the service and a single server, or instead of it. */
export const ENGINES = ["pgbouncer", "sentinel", "cluster"] as const;
export type Engine = (typeof ENGINES)[number];

export type Named = [kind: string, inject: () => Promise<void>];

/** The Redis of a run, with the faults of its kind. */
export interface ChaosRedis {
  /** In a form of REDIS_URL, past the proxy. */
  url: string;
  /** Null if the servers announce their own addresses, so that clients pass a proxy by. */
  proxy: TcpProxy | null;
  /** `aWhile` returns a random number of milliseconds. */
  faults(aWhile: () => number): Named[];
  close(): Promise<void>;
}
