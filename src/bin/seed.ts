import { Readable } from "node:stream";
import { readCommandLine } from "../runtime/command-line.js";
import { seedDemoData } from "../demo/seed-demo-data.js";
import { createPhotoInspector } from "../imaging/inspect/photo-inspector.js";
import { makeSamplePhoto } from "../imaging/pixels/make-sample-photo.js";
import { runCommand } from "../runtime/lifecycle.js";
import { createLogger } from "../runtime/logger.js";
import { createPhotoIntake } from "../services/photos/photo-intake.js";
import { createUsers } from "../services/users/users.js";
import { CHILD_MEMORY_BYTES, createCore } from "../app/create-core.js";
import { readRunningConfig } from "../app/read-config.js";
import { catalogue } from "../tasks/catalogue.js";

readCommandLine(
  {
    name: "npm run seed",
    about:
      "Create demo users, photos and QueuedJobs in the service of this folder. A second " +
      "run changes nothing.",
  },
  () => null,
);

await runCommand(async (stack) => {
  const config = await readRunningConfig();
  const log = createLogger({ name: "seed", level: "warn", pretty: false });
  // It submits Jobs of this repository only, so it needs no task of TASKS.
  const options = { name: "photo-service seed", connections: 2, catalogue, log };
  const core = await createCore(config, options, stack);
  const users = createUsers({ database: core.database, adminEmails: config.adminEmails });
  const inspector = createPhotoInspector({
    log,
    maxPixels: config.maxPhotoPixels,
    acceptHeic: config.acceptHeic,
    memoryLimitBytes: CHILD_MEMORY_BYTES,
  });
  stack.add("photo inspector", () => inspector.close());
  const intake = createPhotoIntake({
    ...core,
    users,
    inspector,
    maxUploadBytes: config.maxUploadBytes,
    maxStoredBytes: config.maxStoredBytesPerUser,
  });
  const sample = await makeSamplePhoto();
  const isOffered = (job: string) => core.jobs.submittable(job) !== null;
  const lines = await seedDemoData({
    users,
    queuedJobs: core.queuedJobs,
    isOffered,
    takePhoto: (user, filename) =>
      intake.take(user, (receive) => receive(Readable.from([sample]), filename), log),
  });
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
});
