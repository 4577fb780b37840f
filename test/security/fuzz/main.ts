// `node dist/test/security/fuzz/main.js [--seconds N --seed S]`: an API process on stores of its own, attacked with thousands of documents, tokens,
// uploads and frames that are nearly sound, while somebody good works with it. Exits 1 when an answer was not as it must be, an error of
// ours was logged, its memory grew, or it does not serve as before.
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { startServiceProcess } from "../../chaos/service-process.js";
import { openStage } from "../../chaos/stage.js";
import { smallPhoto } from "../../support/small-photo.js";
import { createTestClient } from "../../support/test-client.js";
import type { TestClient } from "../../support/test-client.js";
import type { Report, Task } from "./attacker.js";
import { quantile, watchGoodClient } from "./good-client.js";
import type { Watched } from "./good-client.js";

const QUIET_SECONDS = 3;
/** A heap grows until it is collected; what grows on and on goes beyond this. */
const MOST_GROWTH = 1.5;
const MEBIBYTE = 1024 * 1024;
const say = (line: string) => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({ args: process.argv.slice(2).filter((argument) => argument !== "--"), options: { seconds: { type: "string", default: "20" }, seed: { type: "string" } } });
const [seconds, seed] = [Number(values.seconds), values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed)];
if (!(seconds > 0) || !Number.isSafeInteger(seed) || seed < 0) throw new Error("--seconds must be over 0 and --seed a whole number from 0");

process.exitCode = 1;
const folder = await mkdtemp(join(tmpdir(), "photo-service-attack-"));
// PostgreSQL may run as another user than we do.
await chmod(folder, 0o755);
const stage = await openStage(folder);
try {
  const violations = await run();
  for (const violation of violations.slice(0, 20)) say(`WRONG  ${violation}`);
  say(violations.length === 0 ? `every answer was as it must be (seed ${seed})` : `${violations.length} were wrong; seed ${seed}, the log is in ${stage.logs}`);
  if (violations.length === 0) process.exitCode = 0;
} finally {
  await stage.close();
}
if (process.exitCode === 0) await rm(folder, { recursive: true, force: true });

async function run(): Promise<string[]> {
  const api = await startServiceProcess({ role: "api", name: "api", env: stage.env, logs: stage.logs });
  try {
    const good = createTestClient(api.url, await stage.token("good"));
    await good.enqueue("echo");
    await watchGoodClient(good, api.pid, pause(1000));
    const quiet = await watchGoodClient(good, api.pid, pause(QUIET_SECONDS * 1000));
    const attack = attackFrom({ url: api.url, token: await stage.token("attacker"), seed, seconds });
    const attacked = await watchGoodClient(good, api.pid, attack);
    const { cases, violations } = await attack;
    tell(cases, quiet, attacked);
    return [...violations, ...growth(attacked), ...(await faultsInLog()), ...(await servesAsBefore(good))];
  } finally {
    api.signal("SIGTERM");
    await api.exited;
  }
}

function attackFrom(workerData: Task): Promise<Report> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("attacker.js", import.meta.url), { workerData });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}

function tell(cases: Record<string, number>, quiet: Watched, attacked: Watched): void {
  for (const [name, count] of Object.entries(cases)) say(`${name.padEnd(18)} ${String(count).padStart(7)} cases`);
  say(`${"together".padEnd(18)} ${String(Object.values(cases).reduce((sum, count) => sum + count, 0)).padStart(7)} in ${seconds} s`);
  for (const share of [0.5, 0.99]) {
    const [before, during] = [quantile(quiet.latencies, share), quantile(attacked.latencies, share)];
    say(`a good client's p${share * 100}: ${before.toFixed(1)} ms in quiet, ${during.toFixed(1)} ms under attack: × ${(during / before).toFixed(2)}`);
  }
  const mib = (bytes: number) => Math.round(bytes / MEBIBYTE);
  say(`memory: ${mib(quiet.memory.at(-1) ?? 0)} MiB in quiet, ${mib(middle(attacked.memory, 1))} in the first, ${mib(middle(attacked.memory, 2))} in the second, ${mib(middle(attacked.memory, 3))} in the last third of the attack`);
}

/** The median of the first, second or last third. */
function middle(memory: number[], third: 1 | 2 | 3): number {
  const size = Math.floor(memory.length / 3);
  return quantile(memory.slice((third - 1) * size, third * size).toSorted((a, b) => a - b), 0.5);
}

function growth({ memory }: Watched): string[] {
  const [second, last] = [middle(memory, 2), middle(memory, 3)];
  return last > second * MOST_GROWTH ? [`memory grew from ${second} to ${last} bytes between the second and the last third`] : [];
}

async function faultsInLog(): Promise<string[]> {
  const lines = (await readFile(join(stage.logs, "api.log"), "utf8")).split("\n").filter(Boolean);
  return lines.filter((line) => !line.startsWith("{") || Number((JSON.parse(line) as { level: number }).level) >= 50).map((line) => `it logged ${line.slice(0, 600)}`);
}

async function servesAsBefore(good: TestClient): Promise<string[]> {
  const upload = await good.upload(smallPhoto(), { type: "image/png" });
  const stream = good.events({ after: await good.cursor() });
  const { id, status } = await good.enqueue("echo");
  await stream.next("the submission is told", ({ queuedJob }) => queuedJob.id === id);
  stream.stop();
  return upload.status === 201 && status === "PENDING" ? [] : [`afterwards an upload is answered ${upload.status} and a submission is ${status}`];
}
