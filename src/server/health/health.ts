import type { FastifyInstance } from "fastify";
import type { Database } from "../../db/database.js";
import { isMigrated } from "../../db/migrate.js";
import { withPatience } from "../../runtime/patience.js";

/** What is asked of a dependency: null when it is well, else the reason in a few words. */
export type Check = () => Promise<string | null> | string | null;

export interface HealthOptions {
  /** Without one of these the process cannot serve: 503. */
  needed: Record<string, Check>;
  /** Told, but served without: still 200. */
  wanted: Record<string, Check>;
}

const PATIENCE_MS = 2000;

/** `/health/live` depends on nothing but this process; `/health/ready` tells of each dependency. */
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
      (await withPatience(
        Promise.resolve(check()),
        PATIENCE_MS,
        () => `does not answer within ${PATIENCE_MS} ms`,
      )) ?? "ok"
    );
  } catch (error) {
    return error instanceof Error ? error.message : "is away";
  }
}
