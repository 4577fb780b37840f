// `node dist/test/fuzz/main.js [--files N --seed S]`: damages photos of every format and sends each
// through every Job, in the child processes of a worker. Exits with 1 when a photo ends in anything
// but a result, a warning or an error message; its file is then kept.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJobRunner } from "./job-runner.js";
import { readFuzzOptions } from "./read-fuzz-options.js";
import { renderFuzzReport } from "./render-fuzz-report.js";
import { runFuzz } from "./run-fuzz.js";
import { madePhotos, realPhotos } from "./sample-photos.js";

process.exitCode = 1;
const { files, seed } = readFuzzOptions();
const folder = await mkdtemp(join(tmpdir(), "photo-service-fuzz-"));
const runner = createJobRunner(folder);
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
