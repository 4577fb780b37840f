// Runs the tests: starts a private PostgreSQL and Redis, creates the template database, and runs
// the test files, many per process. Arguments are parts of paths: then only the matching files run,
// each in a separate process. `--shuffle` shuffles them, and `--seed N` repeats an order.
import { readdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { readCommandLine } from "../src/runtime/command-line.js";
import { startPostgres } from "../src/embedded/postgres/start-postgres.js";
import { startRedis } from "../src/embedded/redis/start-redis.js";
import { createLogger } from "../src/runtime/logger.js";
import { groupFiles } from "./support/runner/group-files.js";
import { RUNS_LONG } from "./support/runner/long.js";
import { seededRandom } from "./support/runner/seeded-random.js";
import { createTemplateDatabase } from "./support/stores/test-database.js";
import { createTestSummary, type TestSummary } from "./support/runner/test-summary.js";

const { options, wanted } = readCommandLine(
  {
    name: "npm test",
    about: "Run the tests on a private PostgreSQL and Redis. LONG=1 also runs the long tests.",
    positional: {
      value: "<part of a path>…",
      about: "Run only files whose path contains one of these, each in a separate process.",
    },
    options: {
      shuffle: { type: "boolean", about: "Run the files in random order." },
      seed: { type: "string", value: "<number>", about: "Repeats the order of an earlier run." },
    },
    examples: ["events/ graphql/schema"],
  },
  (values, positionals) => ({ options: values, wanted: positionals }),
);
const root = fileURLToPath(new URL(".", import.meta.url));
/** Estimated durations of files that have never run. */
const UNKNOWN_MS = { story: RUNS_LONG ? 60_000 : 10_000, long: 30_000, other: 2000 };
const sources = join(root, "../../test");
/** Linux has it; Docker limits it to 64 MB by default. */
const MEMORY_FOLDER = "/dev/shm";
/** Maximum size of the stores, most of it PostgreSQL's log of writes. */
const STORES_BYTES = 3 * 1024 ** 3;
/** Durations of all files in their last run; the next run is sorted by them. */
const TIMES = join(root, "times.json");
const times = readTimes();
const files = inOrder(
  readdirSync(sources, { recursive: true, encoding: "utf8" })
    // Lists the sources, because the compiled files may contain deleted tests.
    .filter(
      (file) =>
        file.endsWith(".test.ts") &&
        (wanted.length === 0 || wanted.some((part) => file.includes(part))),
    )
    .map((file) => file.replace(/\.ts$/, ".js")),
);

const folder = await mkdtemp(join(memoryFolder() ?? tmpdir(), "photo-service-test-"));
// PostgreSQL may run as another user than this process.
await chmod(folder, 0o755);
const log = createLogger({ name: "test", level: "error", pretty: false });
const [postgres, redis] = await Promise.all([
  startPostgres({ dataDir: join(folder, "postgres"), log, durable: false }),
  startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" }),
]);
async function closeStores(): Promise<void> {
  await Promise.all([postgres.close(), redis.close()]);
  await rm(folder, { recursive: true, force: true });
}
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void closeStores().finally(() => process.exit(1)));
let failed = 0;
try {
  await createTemplateDatabase(postgres.url);
  process.env["TEST_DATABASE_URL"] = postgres.url;
  process.env["TEST_REDIS_URL"] = redis.url;
  failed = await runFiles();
} finally {
  await closeStores();
}
process.exit(failed === 0 && files.length > 0 ? 0 : 1);

/**
 * A folder in memory, if it has room. Each database has hundreds of files, and on a disk creating
 * and dropping them takes more processor time than the tests on them.
 */
function memoryFolder(): string | null {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    const free = Math.min(bavail * bsize, process.availableMemory() / 2);
    return free > STORES_BYTES ? MEMORY_FOLDER : null;
  } catch {
    return null;
  }
}

/**
 * Sorts the files by their last duration, longest first, so that no long file starts at the end.
 * Files that have never run have an estimated duration.
 */
function inOrder(names: string[]): string[] {
  const msOf = (name: string) => times[name] ?? UNKNOWN_MS[kindOf(name)];
  if (!options.shuffle && options.seed === undefined) {
    if (wanted.length === 0) return groupFiles(names.toSorted(), { sources, compiled: root, msOf });
    return names.toSorted((a, b) => msOf(b) - msOf(a)).map((name) => join(root, name));
  }
  const random = seededRandom(options.seed === undefined ? undefined : Number(options.seed));
  process.stdout.write(`Shuffled; --seed ${random.seed} repeats this order\n`);
  const shuffled = random.shuffled(names.toSorted());
  return wanted.length > 0
    ? shuffled.map((name) => join(root, name))
    : random.shuffled(groupFiles(shuffled, { sources, compiled: root, msOf: () => 1 }));
}

function kindOf(name: string): keyof typeof UNKNOWN_MS {
  if (name.startsWith("stories/")) return "story";
  const source = () => readFileSync(join(sources, name.replace(/\.js$/, ".ts")), "utf8");
  return RUNS_LONG && source().includes("/runner/long.js") ? "long" : "other";
}

function readTimes(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(TIMES, "utf8")) as Record<string, number>;
  } catch {
    return {};
  }
}

/**
 * Runs all files. Tests with time limits may fail on a busy machine, so in a full run the failed
 * files run again, one by one. Only failures of that second run count.
 */
async function runFiles(): Promise<number> {
  const summary = await runOnce(files, 2 * availableParallelism());
  for (const [path, ms] of summary.fileMs) times[compiledName(path)] = Math.round(ms);
  writeFileSync(TIMES, JSON.stringify(times));
  const again = [...summary.failedFiles].filter((path) => path.endsWith(".test.ts"));
  let recovered = 0;
  if (wanted.length === 0 && again.length > 0 && again.length === summary.failedFiles.size) {
    process.stdout.write(`\n${summary.failed} FAILED; THEIR FILES RUN AGAIN, EACH ALONE:\n`);
    const alone = again.map((path) => join(root, compiledName(path)));
    recovered = Math.max(0, summary.failed - (await runOnce(alone, 1)).failed);
  }
  process.stdout.write(summary.render(recovered));
  return summary.failed - recovered;
}

/** Maps a source path to its compiled name, e.g. `events/ring.test.js`. */
function compiledName(path: string): string {
  return relative(sources, path).replace(/\.ts$/, ".js");
}

async function runOnce(paths: string[], concurrency: number): Promise<TestSummary> {
  const timeout = 900_000;
  const events = run({ files: paths, concurrency, timeout });
  const summary = createTestSummary(events);
  const report = events.compose(new spec());
  const done = new Promise((resolve) => report.once("end", resolve));
  report.pipe(process.stdout, { end: false });
  await done;
  return summary;
}
