import { readCommandLine } from "../runtime/command-line.js";
import { runProcess } from "../runtime/lifecycle.js";
import { createLogger } from "../runtime/logger.js";
import { collectGarbage, hasPrettyLogs, startTracingIfWanted } from "../app/prepare-process.js";
import { createApi } from "../app/create-api.js";
import { orExit, readConfig } from "../app/read-config.js";
import {
  announceListening,
  isAlone,
  STORES_FOLLOW,
  waitForStores,
} from "../app/local-service/start-stores.js";

readCommandLine(
  {
    name: "npm run start:api",
    about: "Run only the API, as in production. DATABASE_URL and REDIS_URL must be set.",
    options: { [STORES_FOLLOW]: { type: "boolean", about: null } },
  },
  () => null,
);
await waitForStores();
const config = orExit(() => readConfig(["tokens", "files"]));
const tracing = await startTracingIfWanted("api", config);
const log = createLogger({
  name: "api",
  level: config.logLevel,
  pretty: hasPrettyLogs(config),
  fields: tracing?.logFields,
});

await runProcess({ log, deadlineMs: 20_000 }, async (stack, closing) => {
  if (tracing) stack.add("tracing", () => tracing.close());
  const { url, warm } = await createApi(
    config,
    {
      log,
      ...(isAlone && { beforeListening: collectGarbage }),
      ...(tracing && { tracer: tracing.tracer }),
    },
    stack,
  );
  await announceListening(closing);
  await warm();
  if (!isAlone) await collectGarbage();
  log.info({ url }, "ready");
});
