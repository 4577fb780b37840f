import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCommandLine } from "../runtime/command-line.js";
import { parseConfig, readEnvironment, type Config } from "../runtime/config.js";
import { colorDepthOf } from "../demo/color-depth.js";
import { claimPort } from "../embedded/ports.js";
import { keptSecret } from "../embedded/private-folder.js";
import { openDataFolder } from "../embedded/open-data-folder.js";
import { createSupervisor } from "../embedded/processes/supervise.js";
import { runProcess } from "../runtime/lifecycle.js";
import { createLogger } from "../runtime/logger.js";
import { hasPrettyLogs } from "../app/prepare-process.js";
import { keyFaults, orExit } from "../app/read-config.js";
import { followReloads } from "../app/local-service/reload.js";
import { removeServiceFile, writeServiceFile } from "../app/local-service/service-file.js";
import { ADMIN_PASSWORD_FILE, START_LOG_LEVEL } from "../app/local-service/start-defaults.js";
import { startStores, STORES_FOLLOW } from "../app/local-service/start-stores.js";

const { reload } = readCommandLine(
  {
    name: "npm start",
    about:
      "Run everything on this machine: the API, a worker, and a private PostgreSQL and " +
      "Redis unless DATABASE_URL and REDIS_URL are set. Ctrl-C stops everything; the data " +
      "is kept in .data/.",
    options: { reload: { type: "boolean", about: null } },
  },
  (values) => values,
);
const env = readEnvironment();
const isNamed = (store: string) => Boolean(env[store] || env[`${store}_FILE`]);
const embedded = !isNamed("DATABASE_URL") || !isNamed("REDIS_URL");
const config = orExit(() =>
  parseConfig(env, ["tokens", "files", "storage"], {
    check: (read) => [...keyFaults(read), ...checkEmbedded(read), ...checkPorts(read)],
  }),
);
const level = env["LOG_LEVEL"] || START_LOG_LEVEL;
const log = createLogger({ name: "start", level, pretty: hasPrettyLogs(config) });

/** True once the addresses were printed. */
let isReady = false;
/** Set once there are processes that a second Ctrl-C can kill. */
let hurry = () => {};

await runProcess({ log, deadlineMs: 60_000, hurry: () => hurry() }, async (stack, closing) => {
  const folder = await openDataFolder(config.dataFolder);
  // The first one added is closed last.
  stack.add("data folder", async () => {
    await folder.close();
    if (isReady) process.stdout.write(`Stopped. The data is kept in ${folder.path}.\n`);
  });
  const { port, workerPort } = await claimPorts(config);
  // Like the development keys, it is created for this folder and printed at the start.
  const adminPassword =
    config.adminPassword ??
    (config.production ? null : await keptSecret(join(folder.path, ADMIN_PASSWORD_FILE)));
  const stores = startStores(config, { folder: folder.path, path: env["PATH"] ?? "", log });
  stack.add("databases", () => stores.close());
  const supervisor = createSupervisor({ log });
  stack.add("API and worker", () => supervisor.close());
  hurry = supervisor.hurry;
  const childEnv = environmentOf({ port, workerPort, adminPassword, folder: folder.path });
  const listening = new Set<string>();
  let announceReady = () => {};
  const ready = new Promise<object>((resolve) => (announceReady = () => resolve({ ready: true })));
  const start = (name: string) =>
    supervisor.start(name, fileURLToPath(new URL(`${name}.js`, import.meta.url)), {
      env: childEnv,
      args: [`--${STORES_FOLLOW}`],
      messages: [stores.ready, ready],
      onMessage: () => listening.add(name),
    });
  const processes = await Promise.all([start("api"), start("worker")]);
  if (reload) followReloads({ stores: stores.ready, env: childEnv, processes, log });

  const { describeService, renderService, waitUntilReady } =
    await import("../app/local-service/started-service.js");
  const service = await describeService({
    ...config,
    ...(await stores.ready),
    adminPassword,
    port,
    workerPort,
    dataFolder: folder.path,
  });
  const healths = [service.health, service.workerHealth];
  await waitUntilReady(healths, { listen: () => listening.size === processes.length, closing });
  announceReady();
  stack.add("service file", () => removeServiceFile(folder.path));
  await writeServiceFile(folder.path, service);
  const newPassword = config.adminPassword === null ? adminPassword : null;
  process.stdout.write(
    renderService(service, { newPassword, depth: colorDepthOf(process.stdout, env) }),
  );
  isReady = true;
});

/**
 * The environment of the API and the worker. Values from files are passed directly, so the variables
 * for the files are cleared.
 */
function environmentOf({
  port,
  workerPort,
  adminPassword,
  folder,
}: {
  port: number;
  workerPort: number;
  adminPassword: string | null;
  folder: string;
}) {
  return {
    ...env,
    DATABASE_URL_FILE: "",
    REDIS_URL_FILE: "",
    ADMIN_PASSWORD_FILE: "",
    NODE_ENV: config.production ? "production" : "development",
    PORT: String(port),
    WORKER_PORT: String(workerPort),
    LOG_LEVEL: level,
    // Node 22 and later keep compiled code there: the modules of the API load in 0.89 instead of
    // 1.07 s of CPU.
    NODE_COMPILE_CACHE: env["NODE_COMPILE_CACHE"] ?? join(folder, "compiled"),
    ...(adminPassword !== null && { ADMIN_PASSWORD: adminPassword }),
  };
}

async function claimPorts({ host, port, workerPort }: Config) {
  return {
    port: await claimPort({ host, port, variable: "PORT" }),
    workerPort: await claimPort({ host, port: workerPort, variable: "WORKER_PORT" }),
  };
}

function checkEmbedded({ production, embedded: allowed }: Config): string[] {
  return production && embedded && !allowed
    ? [
        "NODE_ENV is production, where no private PostgreSQL and Redis are started by default: " +
          "set DATABASE_URL and REDIS_URL, or EMBEDDED=true",
      ]
    : [];
}

function checkPorts({ port, workerPort }: Config): string[] {
  const sentence =
    `PORT and WORKER_PORT are both ${port}: the API and the worker need different ports, so ` +
    "change one of them";
  return port === workerPort && port !== 0 ? [sentence] : [];
}
