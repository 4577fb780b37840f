// How a process bears the return of all its sockets: many sockets of many users hang on one API, which is killed while
// events go on being made; it is started again, and every socket must have every event once.
//   node dist/test/load/reconnecting-sockets.js [--sockets 10000] [--users 1000]
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SignJWT } from "jose";
import { WebSocket } from "ws";
import { claimPort } from "../../src/embedded/claim-port.js";
import { startPostgres } from "../../src/embedded/start-postgres.js";
import { startRedis } from "../../src/embedded/start-redis.js";
import { createLogger } from "../../src/logger.js";
import { eventually } from "../support/eventually.js";
import { createTemplateDatabase } from "../support/test-database.js";

const { values } = parseArgs({ options: { sockets: { type: "string", default: "10000" }, users: { type: "string", default: "1000" } } });
const SOCKETS = Number(values.sockets);
const USERS = Number(values.users);
const say = (line: string) => process.stdout.write(`${line}\n`);
const SUBSCRIBE = "subscription ($after: String) { queuedJobEvents(after: $after, includeProgress: false) { cursor type queuedJob { id version } } }";

const folder = await mkdtemp(join(tmpdir(), "photo-service-load-"));
await chmod(folder, 0o755);
const log = createLogger({ name: "load", level: "error", pretty: false });
const [postgres, redis] = await Promise.all([startPostgres({ dataDir: join(folder, "postgres"), log }), startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" })]);
const children: ChildProcess[] = [];
try {
  await run();
} finally {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all([postgres.close(), redis.close()]);
  await rm(folder, { recursive: true, force: true });
}
process.exit(process.exitCode ?? 0);

async function run(): Promise<void> {
  await createTemplateDatabase(postgres.url);
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const env = {
    PATH: process.env["PATH"], NODE_ENV: "production", LOG_LEVEL: "error", DATABASE_URL: postgres.url.replace(/photos$/, "template_photos"), REDIS_URL: redis.url, FILE_SIGNING_KEY: "load-0123456789abcdef0123456789abcdef",
    JWT_PUBLIC_KEY: publicKey.export({ type: "spki", format: "pem" }).toString(), JWT_ISSUER: "load", JWT_AUDIENCE: "load", STORAGE_URL: `file:${join(folder, "files")}`, MAX_SOCKETS_PER_USER: "1000",
  };
  const [port, otherPort, workerPort] = await Promise.all(["PORT", "PORT", "WORKER_PORT"].map((variable) => claimPort({ host: "127.0.0.1", port: 0, variable })));
  const first = await start("api", { ...env, PORT: String(port) }, port ?? 0);
  await start("api", { ...env, PORT: String(otherPort) }, otherPort ?? 0);
  await start("worker", { ...env, WORKER_PORT: String(workerPort) }, workerPort ?? 0);

  const users = await Promise.all(
    Array.from({ length: USERS }, async (_, i) => {
      const token = await new SignJWT({ iss: "load", aud: "load", sub: `user-${i}`, email: `user-${i}@load.test`, exp: 2e9, iat: 1 }).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
      return { token, url: `http://127.0.0.1:${otherPort}/graphql`, cursor: "" };
    }),
  );
  await inTurns(users, async (user) => {
    user.cursor = (await ask(user, "{ queuedJobs(first: 1) { eventCursor } }")).queuedJobs.eventCursor;
  });
  const began = Date.now();
  const readers = Array.from({ length: SOCKETS }, (_, i) => createReader(`ws://127.0.0.1:${port}/graphql`, users[i % USERS] ?? { token: "", cursor: "" }));
  await eventually("all sockets are subscribed", () => readers.every((reader) => reader.subscribed()), 120_000);
  say(`${SOCKETS} sockets of ${USERS} users subscribed in ${Date.now() - began} ms; API memory ${await memoryOf(first.pid)} MB`);

  await inTurns(users, (user) => submit(user));
  await eventually("the first job is told", () => readers.every((reader) => reader.seen.length >= 3), 120_000);
  say(`first job of each told to all; API memory ${await memoryOf(first.pid)} MB`);

  first.kill("SIGKILL");
  await once(first, "exit");
  const outage = inTurns(users, (user) => submit(user));
  const again = await start("api", { ...env, PORT: String(port) }, port ?? 0);
  const restarted = Date.now();
  await outage;
  await eventually("all have all", () => readers.every((reader) => reader.seen.length >= 6), 120_000);
  say(`all resumed, with everything, ${Date.now() - restarted} ms after the API was ready again; API memory ${await memoryOf(again.pid)} MB`);
  judge(readers.map((reader) => reader.seen));
  for (const reader of readers) reader.stop();
}

function judge(stories: string[][]): void {
  const doubled = stories.filter((seen) => new Set(seen).size !== seen.length).length;
  const wrong = stories.filter((seen) => new Set(seen).size !== 6).length;
  say(`${stories.length} stories: ${wrong} with something lost or too much, ${doubled} with something doubled`);
  if (doubled + wrong > 0) process.exitCode = 1;
}

async function start(name: string, env: Record<string, string | undefined>, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../../src/bin/${name}.js`, import.meta.url))], { env, stdio: ["ignore", "inherit", "inherit"] });
  children.push(child);
  await eventually(`${name} is ready`, () => fetch(`http://127.0.0.1:${port}/health/ready`).then((response) => response.ok), 60_000);
  return child;
}

/** A socket that comes back with its last cursor, as a client would: after a pause that doubles, with jitter. */
function createReader(url: string, { token, cursor: from }: { token: string; cursor: string }) {
  const seen: string[] = [];
  let cursor = from;
  let socket: WebSocket;
  let tries = 0;
  let ready = false;
  let stopped = false;

  function connect(): void {
    ready = false;
    socket = new WebSocket(url, "graphql-transport-ws", { perMessageDeflate: false });
    socket.on("open", () => socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } })));
    socket.on("message", (data) => hear(JSON.parse(String(data)) as { type: string; payload: { data: { queuedJobEvents: { cursor: string; queuedJob: { id: string; version: number } } } } }));
    socket.on("error", () => {});
    socket.on("close", () => {
      if (!stopped) setTimeout(connect, Math.random() * Math.min(4000, 500 * 2 ** tries++));
    });
  }

  function hear({ type, payload }: { type: string; payload: { data: { queuedJobEvents: { cursor: string; queuedJob: { id: string; version: number } } } } }): void {
    if (type === "connection_ack") {
      tries = 0;
      socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: SUBSCRIBE, variables: { after: cursor } } }));
      // A ping behind it is answered when the subscription was taken.
      socket.send(JSON.stringify({ type: "ping" }));
    }
    if (type === "pong") ready = true;
    if (type !== "next") return;
    const event = payload.data.queuedJobEvents;
    cursor = event.cursor;
    seen.push(`${event.queuedJob.id} ${event.queuedJob.version}`);
  }

  setTimeout(connect, Math.random() * 5000);
  return {
    seen,
    subscribed: () => ready,
    stop() {
      stopped = true;
      socket.terminate();
    },
  };
}

async function ask({ token, url }: { token: string; url: string }, query: string): Promise<{ queuedJobs: { eventCursor: string } }> {
  const response = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: JSON.stringify({ query }) });
  const body = (await response.json()) as { data: { queuedJobs: { eventCursor: string } }; errors?: { message: string }[] };
  if (body.errors) throw new Error(body.errors[0]?.message);
  return body.data;
}

function submit(user: { token: string; url: string }): Promise<unknown> {
  return ask(user, 'mutation { enqueueJob(input: { job: "echo" }) { id } }');
}

async function inTurns<T>(items: T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < items.length; i += 50) await Promise.all(items.slice(i, i + 50).map(work));
}

async function memoryOf(pid: number | undefined): Promise<number> {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024);
}
