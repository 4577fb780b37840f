// Runs in a separate thread, so that the attack does not delay the good client's measurements.
import { parentPort, workerData } from "node:worker_threads";
import { seededRandom } from "../../support/runner/seeded-random.js";
import { ATTACKS, type Attack, type Target } from "./attacks.js";

export interface Task extends Target {
  seed: number;
  seconds: number;
}

export interface Report {
  cases: Record<string, number>;
  violations: string[];
}

const { seed, seconds, ...target } = workerData as Task;
const deadline = Date.now() + seconds * 1000;
const report: Report = { cases: {}, violations: [] };

/** Concurrent cases of each kind. */
const LANES = 6;

async function attackAlone(name: string, attack: Attack, laneSeed: number): Promise<void> {
  const random = seededRandom(laneSeed);
  for (let cases = 1; Date.now() < deadline; cases++) {
    const violation = await attack(random, target).catch(
      (error: unknown) => `the request failed: ${String(error)}`,
    );
    report.cases[name] = (report.cases[name] ?? 0) + 1;
    if (violation !== null)
      report.violations.push(`${name}, case ${cases} of the seed ${laneSeed}: ${violation}`);
  }
}

// Each lane has its own pace and seed, so that a case can be repeated without the other lanes.
const lanes = Object.entries(ATTACKS).flatMap(([name, attack], kind) =>
  Array.from({ length: LANES }, (_, lane) =>
    attackAlone(name, attack, seed * 100 + kind * LANES + lane),
  ),
);
await Promise.all(lanes);
// eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread has none
parentPort?.postMessage(report);
