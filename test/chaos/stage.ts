import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SignJWT } from "jose";
import { createDatabase } from "../../src/db/database.js";
import { migrate } from "../../src/db/migrate.js";
import type { EmbeddedServer } from "../../src/embedded/open-server-folder.js";
import { startPostgres } from "../../src/embedded/postgres/start-postgres.js";
import { startRedis } from "../../src/embedded/redis/start-redis.js";
import { createLogger } from "../../src/runtime/logger.js";
import { syncCatalogue } from "../../src/services/jobs/jobs.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import type { Standby } from "../support/stores/standby.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";
import { openStoredFiles, type StorageKind, type StoredFiles } from "./stored-files.js";

/** The stores, the proxies to them, and the environment of the service's processes. */
export interface Stage {
  postgres: EmbeddedServer;
  /** The promoted standby, which replaces `postgres`; null before. */
  standby: Standby | null;
  redis: EmbeddedServer;
  toPostgres: TcpProxy;
  toRedis: TcpProxy;
  /**
   * Folder of the servers' data: `<folder>/postgres/data`, `<folder>/redis/data`. The processes of
   * the service run in it.
   */
  folder: string;
  files: StoredFiles;
  logs: string;
  env: Record<string, string>;
  token(subject: string): Promise<string>;
  close(): Promise<void>;
}

const ISSUER = "https://issuer.test";
const AUDIENCE = "photo-service-chaos";

interface StageOptions {
  ttlSeconds?: number | null;
  pipelines?: boolean;
  storage?: StorageKind;
}

export async function openStage(folder: string, options: StageOptions = {}): Promise<Stage> {
  const { ttlSeconds = null, pipelines = false, storage = "file" } = options;
  const log = createLogger({ name: "chaos", level: "silent", pretty: false });
  const logs = join(folder, "logs");
  await mkdir(logs);
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDir: join(folder, "postgres"), log, durable: true }),
    startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" }),
  ]);
  await prepareDatabase(postgres.url);
  const [toPostgres, toRedis, files] = await Promise.all([
    createTcpProxy(postgres.url),
    createTcpProxy(redis.url),
    openStoredFiles(folder, storage),
  ]);
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const env = {
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "production",
    LOG_LEVEL: "warn",
    HOST: "127.0.0.1",
    DATABASE_URL: toPostgres.url,
    REDIS_URL: toRedis.url,
    ...files.env,
    FILE_SIGNING_KEY: "a-signing-key-for-chaos-0123456789abcdef",
    JWT_PUBLIC_KEY: publicKey.export({ type: "spki", format: "pem" }).toString(),
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    WORKER_TASKS: "20",
    WORKER_CONCURRENCY: "1",
    MAX_SOCKETS_PER_USER: "1000",
    ECHO: "true",
    // A low limit, which the hostile user reaches.
    MAX_RECORDED_BYTES_PER_USER: pipelines ? "80000000" : "20000000",
    ...(ttlSeconds !== null && { EVENT_TTL: String(ttlSeconds), MAX_JOB_TTL: String(ttlSeconds) }),
  };
  const stage: Stage = {
    postgres,
    standby: null,
    redis,
    toPostgres,
    toRedis,
    folder,
    files,
    logs,
    env,
    token: (subject) => signToken(subject, privateKey),
    async close() {
      await Promise.all([toPostgres.close(), toRedis.close()]);
      await Promise.all([postgres.close(), stage.standby?.close(), redis.close(), files.close()]);
    },
  };
  return stage;
}

function signToken(subject: string, key: KeyObject): Promise<string> {
  return new SignJWT({ sub: subject, email: `${subject}@example.test`, email_verified: true })
    .setProtectedHeader({ alg: "ES256" })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime("48h")
    .sign(key);
}

async function prepareDatabase(url: string): Promise<void> {
  await migrate(url);
  const database = createDatabase({ url, connections: 1, applicationName: "chaos" });
  await syncCatalogue(database, catalogue.values());
  await database.close();
}
