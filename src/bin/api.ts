import { runProcess } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { createApi } from "./create-api.js";
import { orExit } from "./or-exit.js";
import { readConfig } from "./read-config.js";

const config = orExit(() => readConfig(["tokens", "files"]));
const log = createLogger({ name: "api", level: config.logLevel, pretty: process.stdout.isTTY && !config.production });

await runProcess({ log, deadlineMs: 20_000 }, async (stack) => {
  const { url } = await createApi(config, { log }, stack);
  log.info({ url }, "ready");
});
