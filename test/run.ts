// Runs the tests: starts a private PostgreSQL and Redis, makes the template database, and runs every test file in a
// process of its own. Arguments: parts of file names to run only those; `--shuffle`.
import { readdirSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { startPostgres } from "../src/embedded/start-postgres.js";
import { startRedis } from "../src/embedded/start-redis.js";
import { createLogger } from "../src/logger.js";
import { createTemplateDatabase } from "./support/test-database.js";

const root = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
// By the sources: what was compiled may hold tests that are gone.
const files = readdirSync(join(root, "../../test"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts") && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
  // The stories first: they take longest, and wait more than they work.
  .toSorted((a, b) => a.split("/").length - b.split("/").length || a.localeCompare(b))
  .map((file) => join(root, file.replace(/\.ts$/, ".js")));
if (process.argv.includes("--shuffle")) files.sort(() => Math.random() - 0.5);

const folder = await mkdtemp(join(tmpdir(), "photo-service-test-"));
// PostgreSQL may run as another user than we do.
await chmod(folder, 0o755);
const log = createLogger({ name: "test", level: "error", pretty: false });
const [postgres, redis] = await Promise.all([
  startPostgres({ dataDir: join(folder, "postgres"), log, durable: false }),
  startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" }),
]);
const stop = () => void Promise.all([postgres.close(), redis.close()]).finally(() => process.exit(1));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
let failed = 0;
try {
  await createTemplateDatabase(postgres.url);
  process.env["TEST_DATABASE_URL"] = postgres.url;
  process.env["TEST_REDIS_URL"] = redis.url;
  failed = await runFiles();
} finally {
  await Promise.all([postgres.close(), redis.close()]);
  await rm(folder, { recursive: true, force: true });
}
process.exit(failed === 0 && files.length > 0 ? 0 : 1);

async function runFiles(): Promise<number> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const slowest: { name: string; ms: number }[] = [];
  const events = run({ files, concurrency: availableParallelism() + 1, timeout: 300_000 });
  events.on("test:pass", (event) => count(event, "passed"));
  events.on("test:fail", (event) => count(event, "failed"));
  const report = events.compose(new spec());
  const done = new Promise((resolve) => report.once("end", resolve));
  report.pipe(process.stdout, { end: false });
  await done;

  function count({ name, details, skip, file }: TestEvent["data"] & { name: string; skip?: string | boolean; file?: string; details: { duration_ms: number; type?: string | undefined } }, outcome: "passed" | "failed"): void {
    if (details.type === "suite") return;
    counts[skip ? "skipped" : outcome]++;
    slowest.push({ name: `${relative(process.cwd(), file ?? "")}: ${name}`, ms: details.duration_ms });
  }

  process.stdout.write(`\nThe slowest:\n`);
  for (const { name, ms } of slowest.toSorted((a, b) => b.ms - a.ms).slice(0, 10)) process.stdout.write(`  ${Math.round(ms).toString().padStart(6)} ms  ${name}\n`);
  process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  return counts.failed;
}
