import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { claimPort } from "../../src/embedded/ports.js";
import { startPostgres } from "../../src/embedded/postgres/start-postgres.js";
import { startRedis } from "../../src/embedded/redis/start-redis.js";
import { createLogger } from "../../src/runtime/logger.js";
import { programFile } from "../../test/support/processes/program-file.js";
import { eventually } from "../../test/support/runner/eventually.js";
import { createTemplateDatabase } from "../../test/support/stores/test-database.js";

/** One user of a service under load. */
export interface LoadUser {
  token: string;
  /** Sends a query to the API without sockets. */
  ask(query: string): Promise<{ queuedJobs: { eventCursor: string } }>;
}

/**
 * Processes as in production, on private durable stores: one API for sockets, one API for requests,
 * and a worker.
 */
export interface LoadService {
  port: number;
  /** The API with the sockets, at `port`. */
  api: ChildProcess;
  /** The database of all processes. */
  postgres: { url: string; readonly pid: number };
  /** Starts the API with the sockets again, on the same port. */
  restartApi(): Promise<ChildProcess>;
  user(name: string): Promise<LoadUser>;
}

/** Runs `run`, stops all started processes, and exits; also after errors and signals. */
export async function withLoadService(
  env: Record<string, string>,
  run: (service: LoadService) => Promise<void>,
): Promise<never> {
  const folder = await mkdtemp(join(tmpdir(), "photo-service-load-"));
  await chmod(folder, 0o755);
  const log = createLogger({ name: "load", level: "error", pretty: false });
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataDir: join(folder, "postgres"), log }),
    startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" }),
  ]);
  const children: ChildProcess[] = [];
  const end = async (code?: number): Promise<never> => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all([postgres.close(), redis.close()]);
    await rm(folder, { recursive: true, force: true });
    process.exit(code);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void end(1));
  // Listeners of sockets may throw as well.
  process.once("uncaughtException", (error) => {
    say(String(error.stack));
    void end(1);
  });
  await createTemplateDatabase(postgres.url);
  const url = postgres.url.replace(/photos$/, "template_photos");
  const started = await start(
    {
      DATABASE_URL: url,
      REDIS_URL: redis.url,
      STORAGE_URL: `file:${join(folder, "files")}`,
      ...env,
    },
    children,
  );
  await run(Object.assign(started, { postgres: { url, pid: postgres.pid } }));
  return end();
}

const ISSUER = "load";
const AUDIENCE = "load";

async function start(
  more: Record<string, string>,
  children: ChildProcess[],
): Promise<Omit<LoadService, "postgres">> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const env = { ...envOf(publicKey), ...more };
  const [port = 0, otherPort = 0, workerPort = 0] = await Promise.all(
    ["PORT", "PORT", "WORKER_PORT"].map((variable) =>
      claimPort({ host: "127.0.0.1", port: 0, variable }),
    ),
  );
  const launch = async (name: string, added: Record<string, string>, at: number) => {
    const child = spawnBin(name, { ...env, ...added });
    children.push(child);
    await eventually(
      `${name} is ready`,
      () => fetch(`http://127.0.0.1:${at}/health/ready`).then((response) => response.ok),
      60_000,
    );
    return child;
  };

  const launchApi = () => launch("api", { PORT: String(port) }, port);
  const service: Omit<LoadService, "postgres"> = {
    port,
    api: await launchApi(),
    restartApi: async () => (service.api = await launchApi()),
    async user(name) {
      const token = await sign(privateKey, name);
      return { token, ask: (query) => ask(`http://127.0.0.1:${otherPort}/graphql`, token, query) };
    },
  };
  await Promise.all([
    launch("api", { PORT: String(otherPort), NODE_OPTIONS: "" }, otherPort),
    launch("worker", { WORKER_PORT: String(workerPort), NODE_OPTIONS: "" }, workerPort),
  ]);
  return service;
}

function envOf(publicKey: KeyObject): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    NODE_ENV: "production",
    ECHO: "true",
    LOG_LEVEL: "error",
    FILE_SIGNING_KEY: "load-0123456789abcdef0123456789abcdef",
    JWT_PUBLIC_KEY: publicKey.export({ type: "spki", format: "pem" }).toString(),
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    MAX_SOCKETS_PER_USER: "100000",
    RATE_LIMIT_PER_MINUTE: "0",
    NODE_OPTIONS: process.env["API_NODE_OPTIONS"] ?? "",
  };
}

function spawnBin(name: string, env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [programFile(name)], {
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

function sign(key: KeyObject, name: string): Promise<string> {
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: name, email: `${name}@load.test` };
  return new SignJWT({ ...claims, exp: 2e9, iat: 1 })
    .setProtectedHeader({ alg: "ES256" })
    .sign(key);
}

async function ask(
  url: string,
  token: string,
  query: string,
): Promise<{ queuedJobs: { eventCursor: string } }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const body = (await response.json()) as {
    data: { queuedJobs: { eventCursor: string } };
    errors?: { message: string }[];
  };
  if (body.errors) throw new Error(body.errors[0]?.message);
  return body.data;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Resident memory in KiB. */
export async function memoryOf({ pid }: ChildProcess): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** Processor time of the process in seconds. */
export async function cpuOf({ pid }: ChildProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export async function inTurns<T>(items: T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += 50) await Promise.all(items.slice(i, i + 50).map(work));
}
