import { runProcess } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { createWorker } from "./create-worker.js";
import { orExit } from "./or-exit.js";
import { readConfig } from "./read-config.js";

const config = orExit(() => readConfig([]));
const log = createLogger({ name: "worker", level: config.logLevel, pretty: process.stdout.isTTY && !config.production });
const drainMs = config.production ? 25_000 : 5000;

await runProcess({ log, deadlineMs: drainMs + 10_000 }, async (stack) => {
  const { url } = await createWorker(config, { log, drainMs }, stack);
  log.info({ health: url }, "takes work");
});
