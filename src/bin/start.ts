import { fileURLToPath } from "node:url";
import { parseConfig, readEnvironment } from "../config.js";
import type { Config } from "../config.js";
import { colorDepthOf } from "../demo/color-depth.js";
import { claimPort } from "../embedded/claim-port.js";
import { keptSecret } from "../embedded/kept-secret.js";
import { openDataFolder } from "../embedded/open-data-folder.js";
import { restartOnChange } from "../embedded/restart-on-change.js";
import { startPostgres } from "../embedded/start-postgres.js";
import { startRedis } from "../embedded/start-redis.js";
import { createSupervisor } from "../embedded/supervise.js";
import { runProcess } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { keyFaults } from "./key-faults.js";
import { migrateDatabase } from "./migrate-database.js";
import { orExit } from "./or-exit.js";
import { removeServiceFile, writeServiceFile } from "./service-file.js";
import { describeService, renderService, waitUntilReady } from "./started-service.js";

const env = readEnvironment();
const isNamed = (store: string) => Boolean(env[store] || env[`${store}_FILE`]);
const embedded = !isNamed("DATABASE_URL") || !isNamed("REDIS_URL");
const config = orExit(() => parseConfig(env, ["tokens", "files", "storage"], { check: (read) => [...keyFaults(read), ...unaskedServices(read)] }));
const level = env["LOG_LEVEL"] || "warn";
const log = createLogger({ name: "start", level, pretty: process.stdout.isTTY });

await runProcess({ log, deadlineMs: 40_000 }, async (stack) => {
  const folder = await openDataFolder(config.dataFolder);
  stack.add("data folder", () => folder.close());
  const port = await claimPort({ host: config.host, port: config.port, variable: "PORT" });
  const workerPort = await claimPort({ host: config.host, port: config.workerPort, variable: "WORKER_PORT" });

  const [postgres, redis] = await Promise.all([
    config.databaseUrl === null ? startPostgres({ dataDir: `${folder.path}/postgres`, log }) : null,
    config.redisUrl === null ? startRedis({ dataDir: `${folder.path}/redis`, log, path: env["PATH"] ?? "" }) : null,
  ]);
  if (postgres) stack.add("PostgreSQL", () => postgres.close());
  if (redis) stack.add("Redis", () => redis.close());
  const databaseUrl = postgres?.url ?? config.databaseUrl ?? "";
  const redisUrl = redis?.url ?? config.redisUrl ?? "";
  await migrateDatabase(databaseUrl);

  // Like the other keys of development: made for this folder, and told to whoever started it.
  const adminPassword = config.adminPassword ?? (config.production ? null : await keptSecret(`${folder.path}/admin-password`));
  const supervisor = createSupervisor({ log });
  stack.add("API and worker", () => supervisor.close());
  // What came from a file is given as it is, and not told twice.
  const childEnv = { ...env, DATABASE_URL_FILE: "", REDIS_URL_FILE: "", ADMIN_PASSWORD_FILE: "", NODE_ENV: config.production ? "production" : "development", DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, PORT: String(port), WORKER_PORT: String(workerPort), LOG_LEVEL: level, ...(adminPassword !== null && { ADMIN_PASSWORD: adminPassword }) };
  const script = (name: string) => fileURLToPath(new URL(`${name}.js`, import.meta.url));
  const processes = [await supervisor.start("api", script("api"), { env: childEnv }), await supervisor.start("worker", script("worker"), { env: childEnv })];
  if (process.argv.includes("--watch")) {
    const watching = restartOnChange(fileURLToPath(new URL("..", import.meta.url)), processes, { except: "console/" });
    stack.add("watching", () => watching.close());
  }

  const service = await describeService({ ...config, adminPassword, port, databaseUrl, redisUrl, dataFolder: folder.path });
  await waitUntilReady(service.health);
  await waitUntilReady(`http://${config.host}:${workerPort}/health/ready`);
  stack.add("service file", () => removeServiceFile(folder.path));
  await writeServiceFile(folder.path, service);
  const newPassword = config.adminPassword === null ? adminPassword : null;
  process.stdout.write(renderService(service, { newPassword, depth: colorDepthOf(process.stdout, env) }));
});

function unaskedServices({ production, embedded: allowed }: Config): string[] {
  return production && embedded && !allowed ? ["NODE_ENV is production, where private services are not brought up unasked: set DATABASE_URL and REDIS_URL, or EMBEDDED=true"] : [];
}
