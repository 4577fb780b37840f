import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApi } from "../../../src/app/create-api.js";
import { createWorker } from "../../../src/app/create-worker.js";
import type { CompleteConfig } from "../../../src/app/read-config.js";
import type { Database } from "../../../src/db/database.js";
import { migrate } from "../../../src/db/migrate.js";
import { parseConfig } from "../../../src/runtime/config.js";
import { createLoggerTo, type Logger } from "../../../src/runtime/logger.js";
import type { HttpTimeouts } from "../../../src/server/http/app.js";
import {
  ADMIN_PASSWORD,
  createOperatorClient,
  type OperatorClient,
} from "../clients/operator-client.js";
import { createTestClient, type TestClient } from "../clients/test-client.js";
import { createProxiedStores, type ProxiedStores } from "../stores/proxied-stores.js";
import { createTestDatabase, type TestDatabase } from "../stores/test-database.js";
import { testRedis } from "../stores/test-redis.js";
import { createTestTokens } from "./test-tokens.js";

export interface AddedProcess {
  url: string;
  /** Starts the child processes, which otherwise start with the first photo. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

export interface TestService {
  /** Address of the first API. */
  url: string;
  /** Direct access, for facts that no API returns. */
  database: Database;
  /** Parsed log lines. */
  logged: Record<string, unknown>[];
  token(claims?: Record<string, unknown>, options?: { expiresIn?: number }): Promise<string>;
  /** A client of a new user. */
  person(claims?: Record<string, unknown>): Promise<TestClient>;
  admin(): Promise<TestClient>;
  /** A client of the operators' pages, which need the option `operated`. */
  operator: OperatorClient;
  /** Adds another API on the same stores, in this process. */
  addApi(): Promise<AddedProcess>;
  addWorker(): Promise<AddedProcess>;
  /** Environment for a separate process of this service; such a process has production's prefix. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/** A service whose connections to its stores can be watched and cut. */
export type ProxiedService = TestService & Omit<ProxiedStores, "close">;

export interface TestServiceOptions {
  apis?: number;
  workers?: number;
  env?: Record<string, string>;
  /** Closed with the service; a new database by default. */
  store?: TestDatabase;
  redisPrefix?: string;
  timeouts?: HttpTimeouts;
  /** Enables the operators' pages, and creates the read-only database role for them. */
  operated?: boolean;
}

/** Starts the whole service in this process, composed as in production, with a new Redis prefix. */
export async function startTestService(
  options: TestServiceOptions & { proxied: true },
): Promise<ProxiedService>;
export async function startTestService(options?: TestServiceOptions): Promise<TestService>;
export async function startTestService(
  options: TestServiceOptions & { proxied?: boolean } = {},
): Promise<TestService | ProxiedService> {
  const { apis = 1, workers = 1, store = await createTestDatabase() } = options;
  if (options.operated) await migrate(store.url);
  const redis = { ...testRedis(), ...(options.redisPrefix && { prefix: options.redisPrefix }) };
  const proxies = options.proxied
    ? await createProxiedStores({ postgres: store.url, redis: redis.url })
    : null;
  const storage = await mkdtemp(join(tmpdir(), "photo-service-files-"));
  const tokens = createTestTokens();
  const env = {
    ...FIXED_ENV,
    ...tokens.env,
    DATABASE_URL: proxies?.postgres.url ?? store.url,
    REDIS_URL: proxies?.redis.url ?? redis.url,
    STORAGE_URL: `file:${storage}`,
    ...(options.operated && { ADMIN_PASSWORD }),
    ...options.env,
  };
  const { log, logged } = createMemoryLog();
  const processes = createProcesses(readConfig(env, storage), {
    log,
    redisPrefix: redis.prefix,
    ...(options.timeouts && { timeouts: options.timeouts }),
  });
  async function close(): Promise<void> {
    await processes.close();
    await store.close();
    await proxies?.close();
    await rm(storage, { recursive: true, force: true });
  }
  // After a failed start, open connections would keep the process alive.
  const url = await processes.start({ apis, workers }).catch(async (error: unknown) => {
    await close();
    throw error;
  });

  const { addApi, addWorker } = processes;
  const person = async (claims: Record<string, unknown> = {}) =>
    createTestClient(url, await tokens.sign(claims));
  const admin = () => person({ sub: "admin", email: "admin@example.test", email_verified: true });
  const operator = createOperatorClient(url);
  const { database } = store;
  const token = tokens.sign;
  const service = { url, database, logged, token, person, admin, operator, env, addApi, addWorker };
  return { ...service, ...proxies, close };
}

const FIXED_ENV = {
  NODE_ENV: "production",
  PORT: "0",
  WORKER_PORT: "0",
  HOST: "127.0.0.1",
  ADMIN_EMAILS: "admin@example.test",
  FILE_SIGNING_KEY: "a-signing-key-for-tests-0123456789abcdef",
  RATE_LIMIT_PER_MINUTE: "0",
  WORKER_CONCURRENCY: "2",
  ECHO: "true",
};

function readConfig(env: Record<string, string>, dataFolder: string): CompleteConfig {
  const groups = ["database", "redis", "tokens", "files", "storage"] as const;
  const config = parseConfig(env, [...groups]) as CompleteConfig;
  config.dataFolder = dataFolder;
  return config;
}

interface Stack {
  add(name: string, close: () => unknown): void;
}

/** APIs and workers that can be closed one by one. */
function createProcesses(
  config: CompleteConfig,
  options: { log: Logger; redisPrefix: string; timeouts?: HttpTimeouts },
) {
  const closings: (() => Promise<unknown>)[] = [];

  async function add(
    create: (stack: Stack) => Promise<Omit<AddedProcess, "close">>,
  ): Promise<AddedProcess> {
    const stack: (() => unknown)[] = [];
    const close = async (): Promise<void> => {
      for (let last = stack.pop(); last; last = stack.pop()) await last();
    };
    closings.push(close);
    return { ...(await create({ add: (_name, closeOne) => stack.push(closeOne) })), close };
  }
  const addApi = () => add((stack) => createApi(config, options, stack));
  const addWorker = () =>
    add((stack) => {
      const { log, redisPrefix } = options;
      return createWorker(config, { log, redisPrefix, drainMs: 1000 }, stack);
    });
  return {
    addApi,
    addWorker,
    /** Resolves with the URL of the first API. */
    async start({ apis, workers }: { apis: number; workers: number }): Promise<string> {
      const [[first]] = await Promise.all([
        Promise.all(Array.from({ length: apis }, addApi)),
        Promise.all(Array.from({ length: workers }, addWorker)),
      ]);
      if (!first) throw new Error("A test service needs at least one API");
      return first.url;
    },
    close: () => Promise.all(closings.map((close) => close())),
  };
}

function createMemoryLog(): { log: Logger; logged: Record<string, unknown>[] } {
  const logged: Record<string, unknown>[] = [];
  const log = createLoggerTo(
    { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
    "trace",
  );
  return { log, logged };
}
