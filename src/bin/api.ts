import { createFeed } from "../events/feed.js";
import type { Services } from "../graphql/context.js";
import { createSchema } from "../graphql/schema.js";
import { createPhotoInspector } from "../imaging/photo-inspector.js";
import { runProcess } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { createFileUrls } from "../photos/file-urls.js";
import { checkDatabase } from "../server/health.js";
import { createHttpServer } from "../server/http-server.js";
import { createAccounts } from "../services/accounts.js";
import { createEventLog } from "../services/event-log.js";
import { createPhotoIntake } from "../services/photo-intake.js";
import { createUsers } from "../services/users.js";
import { createCore } from "./create-core.js";
import { createVerifier } from "./create-verifier.js";
import { keepFileSigningKey } from "./file-signing-key.js";
import { readConfig } from "./read-config.js";
import { orExit } from "./or-exit.js";
import { version } from "./version.js";

const CHILD_MEMORY_BYTES = 1.5 * 1024 ** 3;

const config = orExit(() => readConfig(["tokens", "files"]));
const log = createLogger({ name: "api", level: config.logLevel, pretty: process.stdout.isTTY && !config.production });

await runProcess({ log, deadlineMs: 20_000 }, async (stack) => {
  const verifier = await createVerifier(config, log);
  stack.add("token verifier", () => verifier.close());
  const core = await createCore(config, { name: "photo-service api", connections: 10, log }, stack);
  const { database, bus, photos, storage } = core;
  const users = createUsers({ database, adminEmails: config.adminEmails });
  const eventLog = createEventLog(database);
  const feed = createFeed({ bus, eventLog, log });
  stack.add("feed", () => feed.close());
  const inspector = createPhotoInspector({ log, maxPixels: config.maxPhotoPixels, memoryLimitBytes: CHILD_MEMORY_BYTES });
  stack.add("photo inspector", () => inspector.close());

  const services: Services = {
    ...core,
    users,
    accounts: createAccounts({ database, users, deleteFiles: (keys) => storage.delete(keys), tellGone: (userId) => server.sockets.closeUser(userId), log }),
    eventLog,
    feed,
    fileUrls: createFileUrls({ signingKey: config.fileSigningKey ?? (await keepFileSigningKey(config.dataFolder)), publicUrl: config.publicUrl }),
    limits: { maxUnfinished: config.maxPendingPerUser, maxUploadBytes: config.maxUploadBytes, maxStoredBytes: config.maxStoredBytesPerUser, maxPhotoPixels: config.maxPhotoPixels },
    info: { version, revision: config.revision, startedAt: new Date() },
  };
  const intake = createPhotoIntake({ photos, users, storage, inspector, maxUploadBytes: config.maxUploadBytes, maxStoredBytes: config.maxStoredBytesPerUser });
  const health = { needed: { postgresql: checkDatabase(database), keys: () => verifier.readiness().reason }, wanted: { redis: () => bus.awayReason() } };
  const server = await createHttpServer({ config, schema: await createSchema(), services, verifier, intake, storage, health, log });
  stack.add("HTTP server", () => server.close());
  log.info(`listening on ${await server.listen({ host: config.host, port: config.port })}`);
});
