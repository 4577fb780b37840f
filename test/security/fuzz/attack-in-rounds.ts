import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { TestClient } from "../../support/clients/test-client.js";
import type { Report, Task } from "./attacker.js";
import type { Target } from "./attacks.js";
import { quantile, watchGoodClient, type Watched } from "./good-client.js";

export interface Round {
  quiet: Watched;
  attacked: Watched;
}

export interface AttackStatistics {
  /** Number of cases by kind of attack. */
  cases: Record<string, number>;
  rounds: Round[];
  violations: string[];
}

const WARM_UP_MS = 1000;
const QUIET_MS = 3000;
/** A heap grows between collections, but growth beyond this factor indicates a leak. */
const MAX_GROWTH = 1.5;

/**
 * Alternates quiet phases and attacks. Each attack is compared with the quiet phase just before it,
 * because the machine may have other load.
 */
export async function attackInRounds(options: {
  good: TestClient;
  pid: number;
  target: Target;
  rounds: number;
  seconds: number;
  seed: number;
}): Promise<AttackStatistics> {
  const { good, pid, target, seconds, seed } = options;
  const statistics: AttackStatistics = { cases: {}, rounds: [], violations: [] };
  await watchGoodClient(good, pid, pause(WARM_UP_MS));
  for (let round = 0; round < options.rounds; round++) {
    const quiet = await watchGoodClient(good, pid, pause(QUIET_MS));
    const attack = attackFrom({ ...target, seed: seed + round, seconds });
    const attacked = await watchGoodClient(good, pid, attack);
    const { cases, violations } = await attack;
    for (const [name, count] of Object.entries(cases))
      statistics.cases[name] = (statistics.cases[name] ?? 0) + count;
    statistics.rounds.push({ quiet, attacked });
    statistics.violations.push(...violations);
  }
  statistics.violations.push(...growth(statistics));
  return statistics;
}

function attackFrom(workerData: Task): Promise<Report> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("attacker.js", import.meta.url), { workerData });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}

/** Median resident bytes in the first, second and last third of all attacks. */
export function memoryByThird({
  rounds,
}: Pick<AttackStatistics, "rounds">): [number, number, number] {
  const memory = rounds.flatMap(({ attacked }) => attacked.memory);
  const size = Math.floor(memory.length / 3);
  const median = (third: number) =>
    quantile(
      memory.slice(third * size, (third + 1) * size).toSorted((a, b) => a - b),
      0.5,
    );
  return [median(0), median(1), median(2)];
}

function growth(statistics: AttackStatistics): string[] {
  const [, second, last] = memoryByThird(statistics);
  return last > second * MAX_GROWTH
    ? [`memory grew from ${second} to ${last} bytes between the second and the last third`]
    : [];
}
