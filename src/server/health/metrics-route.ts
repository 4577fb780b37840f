import type { FastifyInstance } from "fastify";
import type { AdminGuard } from "../access/admin-guard.js";

export interface MetricsRouteOptions {
  /** What Prometheus reads. */
  read(): Promise<{ type: string; text: string }>;
  protect: AdminGuard["protect"];
}

/** `GET /metrics`, for operators. */
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
