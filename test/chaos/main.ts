// `npm run chaos [-- --minutes N --seed S --only WORDS --events N --ttl SECONDS --storage KIND
// --engines LIST]`: runs the whole service on its own stores under load and faults, then checks all
// records against the promises. Exits with 1 after a violation, and then keeps the logs.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readChaosOptions } from "./read-chaos-options.js";
import { renderReport } from "./checks/render-report.js";
import { runChaos } from "./run-chaos.js";
import { openStage } from "./stage.js";
import { createViolations } from "./checks/violations.js";

const say = (line: string) => void process.stdout.write(`${line}\n`);
process.exitCode = 1;
const options = readChaosOptions();
const violations = createViolations();
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    say(`${signal}: stopping everything`);
    stop.abort();
  });
}

const folder = await mkdtemp(join(tmpdir(), "photo-service-chaos-"));
// PostgreSQL may run as another user than this process.
await chmod(folder, 0o755);
try {
  const stage = await openStage(folder, options);
  try {
    say(
      renderReport(
        await runChaos(stage, { ...options, violations, stop: stop.signal, say }),
        violations,
      ),
    );
  } finally {
    await stage.close();
  }
  if (violations.sentences.length === 0) process.exitCode = 0;
} catch (error) {
  const fault = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say(stop.signal.aborted ? String(error) : `${fault}\n${violations.sentences.join("\n")}`);
}
if (process.exitCode === 0 || stop.signal.aborted)
  await rm(folder, { recursive: true, force: true });
else say(`seed ${options.seed}; the logs are in ${folder}`);
process.exit();
