// Ratios of an accepted run, with which CI compares: a change must not lose a quarter of one. The
// numbers behind them differ between machines, so they are not compared.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { JudgedGoal } from "./judge-goals.js";

/** File with the accepted ratios. */
export const THRESHOLDS_PATH = "bench/thresholds.json";

const MAX_LOSS = 0.25;

/** The ratios that have a floor or a goal, by workload and title. */
function ratiosOf(judged: readonly JudgedGoal[]): Map<string, JudgedGoal> {
  const compared = judged.filter(
    ({ goal, peer }) => peer !== null && (goal.floor ?? goal.goal) !== undefined,
  );
  return new Map(compared.map((one) => [`${one.goal.workload}, ${one.goal.title}`, one]));
}

/** Returns a sentence for each ratio that has become more than a quarter worse. */
export function findLosses(
  judged: readonly JudgedGoal[],
  path: string = THRESHOLDS_PATH,
): string[] {
  const ratios = ratiosOf(judged);
  return Object.entries(read(path)).flatMap(([title, accepted]) => {
    const one = ratios.get(title);
    if (!one) return [];
    const kept = one.goal.less ? accepted / one.value : one.value / accepted;
    const loss = Math.round((1 - kept) * 100);
    return kept < 1 - MAX_LOSS
      ? [`${title}: ${one.value.toPrecision(3)}× instead of ${accepted}×, ${loss} % worse`]
      : [];
  });
}

/** Accepts the ratios of a run; those of workloads that it left out stay as they are. */
export function acceptRatios(judged: readonly JudgedGoal[], path: string = THRESHOLDS_PATH): void {
  const accepted = [...ratiosOf(judged)].map(
    ([title, { value }]) => [title, Number(value.toPrecision(3))] as const,
  );
  const all = { ...(existsSync(path) ? read(path) : {}), ...Object.fromEntries(accepted) };
  writeFileSync(path, `${JSON.stringify(all, null, 2)}\n`);
}

function read(path: string): Record<string, number> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, number>;
}
