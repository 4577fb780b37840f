// `npm run mutants`: takes guards out of a copy of the sources, one at a time, and runs the tests that must notice: the core,
// without which the promises are broken. `-- --area NAME` and `--only PATTERN` choose from all, `--all` takes all, which is
// long; `--at-once N`. Exits 1 when a guard is out and no test is red, or when a test is red with all of them in.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "../../src/embedded/start-postgres.js";
import { startRedis } from "../../src/embedded/start-redis.js";
import { createLogger } from "../../src/logger.js";
import { createTemplateDatabase } from "../support/test-database.js";
import { createLane } from "./lane.js";
import type { Lane } from "./lane.js";
import { mutate, readAreas, testFilesOf } from "./read-areas.js";
import type { AreaMutant } from "./read-areas.js";

const { values } = parseArgs({ args: process.argv.slice(2).filter((argument) => argument !== "--"), options: { all: { type: "boolean" }, area: { type: "string" }, only: { type: "string", default: "" }, "at-once": { type: "string", default: String(availableParallelism()) } } });
const say = (line: string) => void process.stdout.write(`${line}\n`);

const mutants = (await readAreas()).filter(isWanted);
if (mutants.length === 0) throw new Error("There is no such mutant");
// All at once, before anything is run.
for (const mutant of mutants) {
  mutate(mutant);
  testFilesOf(mutant);
}

process.exitCode = 1;
const folder = await mkdtemp(join(tmpdir(), "photo-service-mutants-"));
// PostgreSQL may run as another user than we do.
await chmod(folder, 0o755);
const log = createLogger({ name: "mutants", level: "error", pretty: false });
const [postgres, redis] = await Promise.all([startPostgres({ dataDir: join(folder, "postgres"), log, durable: false }), startRedis({ dataDir: join(folder, "redis"), log, path: process.env["PATH"] ?? "" })]);
try {
  await createTemplateDatabase(postgres.url);
  const env = { ...process.env, TEST_DATABASE_URL: postgres.url, TEST_REDIS_URL: redis.url };
  const lanes = Array.from({ length: Number(values["at-once"]) }, (_, i) => createLane(join(folder, `lane-${i}`), env));
  if (await areGreen(lanes)) await runAll(lanes);
} finally {
  await Promise.all([postgres.close(), redis.close()]);
  await rm(folder, { recursive: true, force: true });
}

/** Who names nothing wants the core. */
function isWanted({ core, area, breaks }: AreaMutant): boolean {
  if (!values.all && values.area === undefined && values.only === "") return core === true;
  return (values.area ?? area) === area && new RegExp(values.only).test(breaks);
}

/** With every guard in its place; else nothing that follows would say anything. */
async function areGreen([lane]: Lane[]): Promise<boolean> {
  const files = [...new Set(mutants.flatMap(testFilesOf))];
  const red = (await lane?.firstRed(files)) ?? null;
  say(red === null ? `${files.length} files of tests are green with all guards in` : `RED with all guards in: ${red}`);
  return red === null;
}

async function runAll(lanes: Lane[]): Promise<void> {
  const waiting = [...mutants];
  const alive: AreaMutant[] = [];
  const work = async (lane: Lane): Promise<void> => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) if (!(await isNoticed(lane, mutant))) alive.push(mutant);
  };
  await Promise.all(lanes.map(work));
  say(`\n${mutants.length - alive.length} of ${mutants.length} were noticed`);
  if (alive.length === 0) process.exitCode = 0;
}

async function isNoticed(lane: Lane, mutant: AreaMutant): Promise<boolean> {
  const begun = Date.now();
  const red = await lane.without(mutant, () => lane.firstRed(testFilesOf(mutant)));
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  // A file that broke as a whole, or took too long, has noticed nothing.
  const noticed = red !== null && !red.endsWith(".test.js");
  say(`${noticed ? "red   " : "ALIVE "} ${mutant.area}: ${mutant.breaks} · ${red ?? mutant.file} (${seconds} s)`);
  return noticed;
}
