import { readCommandLine } from "../runtime/command-line.js";
import { runProcess } from "../runtime/lifecycle.js";
import { createLogger } from "../runtime/logger.js";
import { collectGarbage, hasPrettyLogs, startTracingIfWanted } from "../app/prepare-process.js";
import { createWorker } from "../app/create-worker.js";
import { orExit, readConfig } from "../app/read-config.js";
import {
  announceListening,
  isAlone,
  STORES_FOLLOW,
  waitForStores,
} from "../app/local-service/start-stores.js";

readCommandLine(
  {
    name: "npm run start:worker",
    about: "Run only a worker, as in production. DATABASE_URL and REDIS_URL must be set.",
    options: { [STORES_FOLLOW]: { type: "boolean", about: null } },
  },
  () => null,
);
await waitForStores();
const config = orExit(() => readConfig(["webhooks"]));
const tracing = await startTracingIfWanted("worker", config);
const log = createLogger({
  name: "worker",
  level: config.logLevel,
  pretty: hasPrettyLogs(config),
  fields: tracing?.logFields,
});
const drainMs = config.production ? 25_000 : 5000;

await runProcess({ log, deadlineMs: drainMs + 10_000 }, async (stack, closing) => {
  if (tracing) stack.add("tracing", () => tracing.close());
  // All modules are loaded, and no task waits yet.
  if (isAlone) await collectGarbage();
  const { url, warm } = await createWorker(
    config,
    { log, drainMs, ...(tracing && { tracer: tracing.tracer }) },
    stack,
  );
  await announceListening(closing);
  await warm();
  if (!isAlone) await collectGarbage();
  log.info({ health: url }, "takes work");
});
