// `npm run bench [-- --quick --rounds N --only W1,W4 --json FILE --profile FOLDER --record --check
// --accept]`: measures the service and its peers in turns on private stores, and prints the table
// of goals. The exit code shows whether everything could be measured, and with `--check` also
// whether every ratio is about as good as the accepted one. `--scale` measures more processes of
// the service instead, and `--simulate` only computes from what that has measured.
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { goalsOf, SERVICE } from "./report/goals.js";
import { judgeGoals, type JudgedGoal } from "./report/judge-goals.js";
import { readBenchOptions } from "./read-bench-options.js";
import { renderGoals } from "./report/render-goals.js";
import { appendResults, readCircumstances, renderResults, RESULTS_PATH } from "./report/results.js";
import { acceptRatios, findLosses, THRESHOLDS_PATH } from "./report/thresholds.js";
import { openRig } from "./rig.js";
import { runBench, type BenchOutcome } from "./run-bench.js";
import {
  measureScale,
  readMeasured,
  renderScale,
  writeMeasured,
} from "./simulate/measure-scale.js";
import { createModel, isFromBusyMachine } from "./simulate/model.js";
import { planFor, renderPlans } from "./simulate/plan.js";

const say = (line: string) => void process.stderr.write(`${line}\n`);
const options = readBenchOptions();
const cut = new Promise<never>((_, reject) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => reject(new Error(`${signal}: nothing is left running`)));
});

if (options.kind === "simulate") {
  const measured = readMeasured();
  const model = createModel(measured);
  const plans = options.loads.map((load) => planFor(model, load));
  process.stdout.write(renderPlans(plans, isFromBusyMachine(measured)));
  process.exit();
}

process.exitCode = 1;
const from = performance.now();
const rig = await openRig();
try {
  if (options.kind === "scale") await scaleOut();
  else await compare();
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await rig.close();
}
process.exit();

async function scaleOut(): Promise<void> {
  const measured = await Promise.race([measureScale(rig, { ...options, say }), cut]);
  if (options.json !== null)
    await writeFile(options.json, `${JSON.stringify(measured, null, 1)}\n`);
  process.stdout.write(`\n${measured.machine}\n\n${renderScale(measured)}`);
  if (options.thresholds === "accept") writeMeasured(measured);
  process.exitCode = 0;
}

async function compare(): Promise<void> {
  const outcome = await Promise.race([runBench(rig, { ...options, say }), cut]);
  if (options.json !== null)
    await writeFile(
      options.json,
      `${JSON.stringify({ scale: options.scale, ...outcome }, null, 1)}\n`,
    );
  const judged = judgeGoals(goalsOf(options.scale), outcome.rounds);
  process.stdout.write(report(outcome, judged));
  if (options.record) record(outcome, judged);
  if (options.thresholds === "accept") acceptRatios(judged);
  const losses = options.thresholds === "check" ? findLosses(judged) : [];
  if (losses.length > 0) say(`Worse than ${THRESHOLDS_PATH} accepts:\n${losses.join("\n")}`);
  if (outcome.failures.length + losses.length === 0) process.exitCode = 0;
}

/** True for the service itself, with any history; a peer may fail. */
const isOurs = (contestant: string) => contestant.startsWith(SERVICE);

/** Records only runs in which the service itself was measured completely. */
function record({ rounds, failures }: BenchOutcome, judged: readonly JudgedGoal[]): void {
  if (failures.some(({ of }) => isOurs(of)))
    return say("Not recorded: not everything was measured.");
  const coresElsewhere = mostElsewhere(rounds);
  const notMeasured = failures.map(({ sentence }) => sentence);
  appendResults(
    renderResults({
      ...readCircumstances(),
      rounds: rounds.length,
      coresElsewhere,
      judged,
      notMeasured,
    }),
  );
  say(`Recorded in ${RESULTS_PATH}`);
}

function mostElsewhere(rounds: BenchOutcome["rounds"]): number {
  return Math.max(...rounds.map(({ coresElsewhere }) => coresElsewhere));
}

function report({ rounds, failures }: BenchOutcome, judged: readonly JudgedGoal[]): string {
  const elsewhere = mostElsewhere(rounds);
  const head =
    `${rounds.length} ${rounds.length === 1 ? "round" : "rounds"} in ` +
    `${Math.round((performance.now() - from) / 1000)} s, ${availableParallelism()} cores, ` +
    `Node ${process.version}; medians, and ratios of each round`;
  const noise =
    elsewhere < 0.2
      ? ""
      : `Other processes used up to ${elsewhere.toFixed(1)} cores: only ratios and CPU ` +
        "times are meaningful.\n";
  const sentences = failures.map(({ sentence }) => sentence);
  const lost = failures.length === 0 ? "" : `\nNot measured:\n${sentences.join("\n")}\n`;
  return `\n${head}\n${noise}\n${renderGoals(judged)}\n${lost}`;
}
