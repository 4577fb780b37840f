import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger } from "fastify";
import type { Logger } from "../logger.js";
import { registerHealth } from "./health.js";
import type { HealthOptions } from "./health.js";
import { registerMetrics } from "./metrics-route.js";
import type { MetricsRouteOptions } from "./metrics-route.js";
import { NO_SCHEMAS } from "./no-schemas.js";

export interface HealthServer {
  listen(address: { host: string; port: number }): Promise<string>;
  close(): Promise<void>;
}

/** Where a worker, which serves nothing else, answers whether it is well and what it does. */
export async function createHealthServer(health: HealthOptions, metrics: MetricsRouteOptions, log: Logger): Promise<HealthServer> {
  const app = Fastify({ loggerInstance: log as FastifyBaseLogger, logController: new LogController({ disableRequestLogging: true }), forceCloseConnections: true, schemaController: NO_SCHEMAS });
  registerHealth(app, health);
  await registerMetrics(app, metrics);
  await app.ready();
  return { listen: (address) => app.listen(address), close: () => app.close() };
}
