import { generateKeyPairSync, sign } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import postgres from "postgres";
import type { EmbeddedServer } from "../src/embedded/open-server-folder.js";
import { startPostgres } from "../src/embedded/postgres/start-postgres.js";
import { startRedis } from "../src/embedded/redis/start-redis.js";
import { createLogger } from "../src/runtime/logger.js";

/** Common ground of all contestants: private durable stores, users with tokens, a folder. */
export interface Rig {
  postgres: EmbeddedServer;
  redis: EmbeddedServer;
  folder: string;
  logs: string;
  tokens: { publicKey: string; issuer: string; audience: string };
  /** Token of the person with this number; cached. */
  token(person: number): string;
  /** Creates an empty database; replaces an older one of the same name. */
  createDatabase(name: string): Promise<string>;
  /** Runs one or more SQL statements. */
  query(url: string, text: string): Promise<Record<string, unknown>[]>;
  emptyRedis(): Promise<void>;
  close(): Promise<void>;
}

const ISSUER = "https://issuer.test";
const AUDIENCE = "photo-service-bench";

export async function openRig(): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "photo-service-bench-"));
  // PostgreSQL may run as another user than this process.
  await chmod(folder, 0o755);
  const logs = join(folder, "logs");
  await mkdir(logs);
  const log = createLogger({ name: "bench", level: "error", pretty: false });
  const [database, redis] = await Promise.all([
    startPostgres({ dataDir: join(folder, "postgres"), log, durable: true }),
    startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" }),
  ]);
  const keys = createTokens();
  return {
    postgres: database,
    redis,
    folder,
    logs,
    query,
    tokens: { publicKey: keys.publicKey, issuer: ISSUER, audience: AUDIENCE },
    token: keys.token,
    async createDatabase(name) {
      await query(database.url, `drop database if exists ${name} with (force)`);
      await query(database.url, `create database ${name}`);
      // The checkpoint flushes earlier writes now, and not during a measurement.
      await query(database.url, "checkpoint");
      return Object.assign(new URL(database.url), { pathname: `/${name}` }).href;
    },
    async emptyRedis() {
      const client = new Redis(redis.url);
      await client.flushall();
      client.disconnect();
    },
    async close() {
      await Promise.all([database.close(), redis.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return [...(await client.unsafe(text))] as Record<string, unknown>[];
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** Uses RS256, which most identity providers use, and which is the cheapest to verify. */
function createTokens(): { publicKey: string; token(person: number): string } {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const tokens = new Map<number, string>();
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  function make(person: number): string {
    const iat = Math.floor(Date.now() / 1000) - 5;
    const claims = {
      sub: `person-${person}`,
      email: `person-${person}@example.test`,
      email_verified: true,
      name: `Person ${person}`,
      iss: ISSUER,
      aud: AUDIENCE,
      iat,
      exp: iat + 24 * 3600,
    };
    const text = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
    return `${text}.${sign("sha256", Buffer.from(text), privateKey).toString("base64url")}`;
  }
  return {
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    token(person) {
      const token = tokens.get(person) ?? make(person);
      tokens.set(person, token);
      return token;
    },
  };
}
