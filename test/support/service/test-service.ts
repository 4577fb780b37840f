import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { createApi } from "../../../src/app/create-api.js";
import { createWorker } from "../../../src/app/create-worker.js";
import type { CompleteConfig } from "../../../src/app/read-config.js";
import { parseConfig } from "../../../src/runtime/config.js";
import type { Database } from "../../../src/db/database.js";
import { createLoggerTo, type Logger } from "../../../src/runtime/logger.js";
import type { HttpTimeouts } from "../../../src/server/http/app.js";
import { createTestClient, type TestClient } from "../clients/test-client.js";
import { createTestDatabase, type TestDatabase } from "../stores/test-database.js";
import { testRedis } from "../stores/test-redis.js";

const ISSUER = "https://issuer.test";
const AUDIENCE = "photo-service-test";

export interface AddedProcess {
  url: string;
  /** Starts its children, which otherwise come with the first photo. */
  warm(): Promise<void>;
  close(): Promise<void>;
}

export interface TestService {
  /** Of the first API. */
  url: string;
  /** Direct, for what no API tells. */
  database: Database;
  /** What was logged, a parsed line each. */
  logged: Record<string, unknown>[];
  token(claims?: Record<string, unknown>, options?: { expiresIn?: number }): Promise<string>;
  /** A client of a person nobody has seen before. */
  person(claims?: Record<string, unknown>): Promise<TestClient>;
  admin(): Promise<TestClient>;
  /** Another API process's worth, on the same stores. */
  addApi(): Promise<AddedProcess>;
  addWorker(): Promise<AddedProcess>;
  /**
   * With which a process of its own is one more of this service; it takes the prefix of production.
   */
  env: Record<string, string>;
  close(): Promise<void>;
}

/**
 * The whole service in this process, as production composes it, on a Redis prefix of its own, and
 * on `store`, which it closes, or a database of its own.
 */
export async function startTestService(
  options: {
    apis?: number;
    workers?: number;
    env?: Record<string, string>;
    store?: TestDatabase;
    redisPrefix?: string;
    timeouts?: HttpTimeouts;
  } = {},
): Promise<TestService> {
  const { apis = 1, workers = 1, store: testDatabase = await createTestDatabase() } = options;
  const redis = { ...testRedis(), ...(options.redisPrefix && { prefix: options.redisPrefix }) };
  const storage = await mkdtemp(join(tmpdir(), "photo-service-files-"));
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const env = {
    NODE_ENV: "production",
    DATABASE_URL: testDatabase.url,
    REDIS_URL: redis.url,
    PORT: "0",
    WORKER_PORT: "0",
    HOST: "127.0.0.1",
    JWT_PUBLIC_KEY: publicKey.export({ type: "spki", format: "pem" }).toString(),
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    ADMIN_EMAILS: "admin@example.test",
    FILE_SIGNING_KEY: "a-signing-key-for-tests-0123456789abcdef",
    RATE_LIMIT_PER_MINUTE: "0",
    STORAGE_URL: `file:${storage}`,
    WORKER_CONCURRENCY: "2",
    ECHO: "true",
    ...options.env,
  };
  const config = parseConfig(env, [
    "database",
    "redis",
    "tokens",
    "files",
    "storage",
  ]) as CompleteConfig;
  config.dataFolder = storage;
  const { log, logged } = createMemoryLog();
  const closings: (() => Promise<unknown> | unknown)[] = [];

  async function start(
    create: (stack: {
      add(name: string, close: () => unknown): void;
    }) => Promise<Omit<AddedProcess, "close">>,
  ): Promise<AddedProcess> {
    const own: (() => unknown)[] = [];
    const close = async (): Promise<void> => {
      for (let last = own.pop(); last; last = own.pop()) await last();
    };
    closings.push(close);
    return { ...(await create({ add: (_name, closeOne) => own.push(closeOne) })), close };
  }
  const addApi = () =>
    start((stack) =>
      createApi(
        config,
        { log, redisPrefix: redis.prefix, ...(options.timeouts && { timeouts: options.timeouts }) },
        stack,
      ),
    );
  const addWorker = () =>
    start((stack) =>
      createWorker(config, { log, redisPrefix: redis.prefix, drainMs: 1000 }, stack),
    );
  async function closeAll(): Promise<void> {
    await Promise.all(closings.map((close) => close()));
    await testDatabase.close();
    await rm(storage, { recursive: true, force: true });
  }
  // What was opened before something could not be must not keep the process alive.
  const [[first]] = await Promise.all([
    Promise.all(Array.from({ length: apis }, addApi)),
    Promise.all(Array.from({ length: workers }, addWorker)),
  ]).catch(async (error: unknown) => {
    await closeAll();
    throw error;
  });
  if (!first) throw new Error("A test service has an API at least");

  const token = (claims: Record<string, unknown> = {}, { expiresIn = 3600 } = {}) =>
    sign(privateKey, claims, expiresIn);
  const person = async (claims: Record<string, unknown> = {}) =>
    createTestClient(first.url, await token({ ...newcomer(), ...claims }));
  return {
    url: first.url,
    database: testDatabase.database,
    logged,
    token,
    person,
    admin: () => person({ sub: "admin", email: "admin@example.test", email_verified: true }),
    addApi,
    addWorker,
    env,
    close: closeAll,
  };
}

let people = 0;
function newcomer(): Record<string, unknown> {
  people++;
  return {
    sub: `person-${process.pid}-${people}`,
    email: `person-${process.pid}-${people}@example.test`,
    name: `Person ${people}`,
    email_verified: true,
  };
}

function sign(key: KeyObject, claims: Record<string, unknown>, expiresIn: number): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: ISSUER,
    aud: AUDIENCE,
    iat: now,
    exp: now + expiresIn,
    ...newcomer(),
    ...claims,
  })
    .setProtectedHeader({ alg: "ES256" })
    .sign(key);
}

function createMemoryLog(): { log: Logger; logged: Record<string, unknown>[] } {
  const logged: Record<string, unknown>[] = [];
  const log = createLoggerTo(
    { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) },
    "trace",
  );
  return { log, logged };
}
