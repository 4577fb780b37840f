import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SignJWT } from "jose";
import { createDatabase } from "../../src/db/database.js";
import { migrate } from "../../src/db/migrate.js";
import type { EmbeddedServer } from "../../src/embedded/open-server-folder.js";
import { startPostgres } from "../../src/embedded/postgres/start-postgres.js";
import { createLogger, type Logger } from "../../src/runtime/logger.js";
import { syncCatalogue } from "../../src/services/jobs/jobs.js";
import { catalogue } from "../../src/tasks/catalogue.js";
import type { Standby } from "../support/stores/standby.js";
import { createTcpProxy, type TcpProxy } from "../support/stores/tcp-proxy.js";
import { openPgBouncer, type ChaosPgBouncer } from "./engines/chaos-pgbouncer.js";
import type { ChaosRedis, Engine } from "./engines/chaos-redis.js";
import { openCluster, openSentinel } from "./engines/several-redis.js";
import { openSingleRedis } from "./engines/single-redis.js";
import { openStoredFiles, type StorageKind, type StoredFiles } from "./stored-files.js";

/** The stores, the proxies to them, and the environment of the service's processes. */
export interface Stage {
  postgres: EmbeddedServer;
  /** The promoted standby, which replaces `postgres`; null before. */
  standby: Standby | null;
  redis: ChaosRedis;
  /** Null if the service reaches PostgreSQL without it. */
  pgBouncer: ChaosPgBouncer | null;
  /** In front of PostgreSQL itself. */
  toPostgres: TcpProxy;
  /**
   * Folder of the servers' data, such as `<folder>/postgres/data`. The processes of the service run
   * in it.
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
  engines?: readonly Engine[];
}

export async function openStage(folder: string, options: StageOptions = {}): Promise<Stage> {
  const { ttlSeconds = null, pipelines = false, storage = "file", engines = [] } = options;
  const log = createLogger({ name: "chaos", level: "silent", pretty: false });
  const logs = join(folder, "logs");
  await mkdir(logs);
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDir: join(folder, "postgres"), log, durable: true }),
    openRedis(folder, engines, log),
  ]);
  await prepareDatabase(postgres.url);
  const [toPostgres, files] = await Promise.all([
    createTcpProxy(postgres.url),
    openStoredFiles(folder, storage),
  ]);
  const pgBouncer = engines.includes("pgbouncer")
    ? await openPgBouncer(folder, toPostgres.url)
    : null;
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const env = {
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "production",
    LOG_LEVEL: "warn",
    HOST: "127.0.0.1",
    DATABASE_URL: (pgBouncer?.proxy ?? toPostgres).url,
    REDIS_URL: (redis.proxy ?? redis).url,
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
    pgBouncer,
    toPostgres,
    folder,
    files,
    logs,
    env,
    token: (subject) => signToken(subject, privateKey),
    async close() {
      await Promise.all([pgBouncer?.close(), toPostgres.close()]);
      await Promise.all([postgres.close(), stage.standby?.close(), redis.close(), files.close()]);
    },
  };
  return stage;
}

function openRedis(folder: string, engines: readonly Engine[], log: Logger): Promise<ChaosRedis> {
  if (engines.includes("sentinel")) return openSentinel(folder);
  if (engines.includes("cluster")) return openCluster(folder);
  return openSingleRedis(folder, log);
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
