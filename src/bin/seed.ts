import { Readable } from "node:stream";
import { ConfigError, parseConfig, readEnvironment } from "../config.js";
import { seedDemoData } from "../demo/seed-demo-data.js";
import { createPhotoInspector } from "../imaging/photo-inspector.js";
import { makeSamplePhoto } from "../imaging/make-sample-photo.js";
import { runCommand } from "../lifecycle.js";
import { createLogger } from "../logger.js";
import { createPhotoIntake } from "../services/photo-intake.js";
import { createUsers } from "../services/users.js";
import { CHILD_MEMORY_BYTES, createCore } from "./create-core.js";
import { readServiceFile } from "./service-file.js";

await runCommand(async (stack) => {
  const config = parseConfig(readEnvironment(), []);
  const running = await readServiceFile(config.dataFolder);
  const databaseUrl = config.databaseUrl ?? running?.databaseUrl;
  const redisUrl = config.redisUrl ?? running?.redisUrl;
  if (!databaseUrl || !redisUrl) throw new ConfigError(["No service runs from this folder, and DATABASE_URL or REDIS_URL is not set: npm start first"]);

  const log = createLogger({ name: "seed", level: "warn", pretty: false });
  const core = await createCore({ ...config, databaseUrl, redisUrl }, { name: "photo-service seed", connections: 2, log }, stack);
  const users = createUsers({ database: core.database, adminEmails: config.adminEmails });
  const inspector = createPhotoInspector({ log, maxPixels: config.maxPhotoPixels, acceptHeic: config.acceptHeic, memoryLimitBytes: CHILD_MEMORY_BYTES });
  stack.add("photo inspector", () => inspector.close());
  const intake = createPhotoIntake({ ...core, users, inspector, maxUploadBytes: config.maxUploadBytes, maxStoredBytes: config.maxStoredBytesPerUser });
  const sample = await makeSamplePhoto();
  const told = await seedDemoData({ users, queuedJobs: core.queuedJobs, takePhoto: (user, filename) => intake.take(user, (receive) => receive(Readable.from([sample]), filename), log) });
  process.stdout.write(told.map((line) => `${line}\n`).join(""));
});
