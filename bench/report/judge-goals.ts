import type { Measurements } from "./figures.js";
import type { Goal, Subject } from "./goals.js";
import { median } from "./statistics.js";

export type Verdict = "beyond" | "goal" | "floor" | "UNDER FLOOR" | "under goal" | "";

/** A goal with its measurements: medians of the rounds, and of the ratios of each round. */
export interface JudgedGoal {
  goal: Goal;
  ours: number;
  peer: number | null;
  /** The judged value: the ratio, or the number itself without a peer. */
  value: number;
  /** Spread of the rounds: the largest value divided by the smallest, minus one. */
  spread: number;
  verdict: Verdict;
}

/** Judges all goals that have measurements. */
export function judgeGoals(goals: readonly Goal[], rounds: readonly Measurements[]): JudgedGoal[] {
  return goals.flatMap((goal) => {
    const measured = rounds.flatMap((measurements) => readRound(goal, measurements) ?? []);
    if (measured.length === 0) return [];
    const values = measured.map(({ ours, peer }) => (peer === null ? ours : ours / peer));
    const value = median(values);
    const peers = measured.flatMap(({ peer }) => peer ?? []);
    return [
      {
        goal,
        value,
        ours: median(measured.map(({ ours }) => ours)),
        peer: peers.length > 0 ? median(peers) : null,
        spread: Math.max(...values) / Math.min(...values) - 1,
        verdict: judge(goal, value),
      },
    ];
  });
}

function readRound(
  { ours, peer }: Goal,
  measurements: Measurements,
): { ours: number; peer: number | null } | null {
  const read = ({ measure, of }: Subject) => measurements.read(measure, of);
  const [mine, other] = [read(ours), peer ? read(peer) : null];
  return mine === undefined || other === undefined ? null : { ours: mine, peer: other };
}

function judge({ less, floor, goal, beyond }: Goal, value: number): Verdict {
  const reaches = (limit: number | undefined) =>
    limit !== undefined && (less ? value <= limit : value >= limit);
  if (reaches(beyond)) return "beyond";
  if (reaches(goal)) return "goal";
  if (reaches(floor)) return "floor";
  if (floor !== undefined) return "UNDER FLOOR";
  return goal === undefined ? "" : "under goal";
}
