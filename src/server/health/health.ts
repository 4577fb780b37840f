import type { FastifyInstance } from "fastify";
import type { Database } from "../../db/database.js";
import { isMigrated } from "../../db/migrate.js";
import { withTimeout } from "../../runtime/deadline.js";
import type { AdminGuard } from "../access/admin-guard.js";
import type { Logger } from "../../runtime/logger.js";
import { createBareApp } from "../http/app.js";

/** Checks a dependency. Returns null when it is healthy, else a short reason. */
type Check = () => Promise<string | null> | string | null;

export interface HealthOptions {
  /** Dependencies without which the process cannot serve: 503. */
  needed: Record<string, Check>;
  /** Dependencies that are reported, but not required: 200. */
  wanted: Record<string, Check>;
}

const TIMEOUT_MS = 2000;

/** `/health/live` checks only this process; `/health/ready` reports each dependency. */
export function registerHealth(app: FastifyInstance, { needed, wanted }: HealthOptions): void {
  app.get("/health/live", { logLevel: "warn" }, async () => ({ status: "ok" }));
  app.get("/health/ready", { logLevel: "warn" }, async (_request, reply) => {
    const [hard, soft] = await Promise.all([run(needed), run(wanted)]);
    const down = Object.values(hard).some((reason) => reason !== "ok");
    const degraded = Object.values(soft).some((reason) => reason !== "ok");
    const usable = degraded ? "degraded" : "ok";
    return reply
      .code(down ? 503 : 200)
      .send({ status: down ? "unavailable" : usable, ...hard, ...soft });
  });
}

export function checkDatabase(database: Database): Check {
  return async () => {
    await database.ping();
    return (await isMigrated(database)) ? null : "migrations are not applied: run npm run migrate";
  };
}

async function run(checks: Record<string, Check>): Promise<Record<string, string>> {
  const entries = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await reasonOf(check)] as const),
  );
  return Object.fromEntries(entries);
}

async function reasonOf(check: Check): Promise<string> {
  try {
    return (
      (await withTimeout(
        Promise.resolve(check()),
        TIMEOUT_MS,
        () => `does not answer within ${TIMEOUT_MS} ms`,
      )) ?? "ok"
    );
  } catch (error) {
    return error instanceof Error ? error.message : "unavailable";
  }
}

export interface MetricsRouteOptions {
  /** Returns the metrics in the format of Prometheus. */
  read(): Promise<{ type: string; text: string }>;
  protect: AdminGuard["protect"];
}

/** Registers `GET /metrics` for operators. */
export async function registerMetrics(
  app: FastifyInstance,
  { read, protect }: MetricsRouteOptions,
): Promise<void> {
  await app.register(async (scope) => {
    await protect(scope);
    scope.get("/metrics", { logLevel: "warn" }, async (_request, reply) => {
      const { type, text } = await read();
      return reply.type(type).header("cache-control", "no-store").send(text);
    });
  });
}

interface HealthServer {
  listen(address: { host: string; port: number }): Promise<string>;
  close(): Promise<void>;
}

/** Serves the health and metrics of a worker, which has no other routes. */
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
