import type { Logger } from "../../runtime/logger.js";
import { createBareApp } from "../http/app.js";
import { registerHealth, type HealthOptions } from "./health.js";
import { registerMetrics, type MetricsRouteOptions } from "./metrics-route.js";

export interface HealthServer {
  listen(address: { host: string; port: number }): Promise<string>;
  close(): Promise<void>;
}

/** Where a worker, which serves nothing else, answers whether it is well and what it does. */
export async function createHealthServer(
  health: HealthOptions,
  metrics: MetricsRouteOptions,
  log: Logger,
): Promise<HealthServer> {
  const app = createBareApp(log, { forceCloseConnections: true });
  registerHealth(app, health);
  await registerMetrics(app, metrics);
  await app.ready();
  return { listen: (address) => app.listen(address), close: () => app.close() };
}
