// `node dist/test/fuzz/main.js [--files N --seed S]`: damages photos of every format, and runs
// every Job on them in the worker's child processes. Each run must end with a result, a warning or
// a public error. Otherwise it exits with 1, and keeps the files.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTasks } from "./load-tasks.js";
import { createJobRunner } from "./job-runner.js";
import { readFuzzOptions } from "./read-fuzz-options.js";
import { renderFuzzReport } from "./render-fuzz-report.js";
import { runFuzz } from "./run-fuzz.js";
import { madePhotos, realPhotos } from "./sample-photos.js";

process.exitCode = 1;
const { files, seed } = readFuzzOptions();
const folder = await mkdtemp(join(tmpdir(), "photo-service-fuzz-"));
const runner = createJobRunner(folder, { tasks: await loadTasks() });
try {
  const statistics = await runFuzz(runner, {
    samples: [...(await madePhotos()), ...realPhotos()],
    files,
    seed,
    folder,
  });
  process.stdout.write(renderFuzzReport(statistics, seed));
  if (statistics.violations.length === 0) process.exitCode = 0;
} finally {
  await runner.close();
}
if (process.exitCode === 0) await rm(folder, { recursive: true, force: true });
else process.stdout.write(`the files are in ${folder}\n`);
