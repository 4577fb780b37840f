import type { Figures } from "./figures.js";
import type { Goal, Subject } from "./goals.js";
import { median } from "./statistics.js";

export type Verdict = "beyond" | "goal" | "floor" | "UNDER FLOOR" | "under goal" | "";

/** A goal with what was measured: medians of the rounds, and of the ratios that each round gave. */
export interface JudgedGoal {
  goal: Goal;
  ours: number;
  peer: number | null;
  /** What is judged: the ratio, or the number itself where there is no peer. */
  value: number;
  /** How far the values of the rounds are apart: the largest over the smallest, less one. */
  spread: number;
  verdict: Verdict;
}

/** Those of which something was measured. */
export function judgeGoals(goals: readonly Goal[], rounds: readonly Figures[]): JudgedGoal[] {
  return goals.flatMap((goal) => {
    const measured = rounds.flatMap((figures) => readRound(goal, figures) ?? []);
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
  figures: Figures,
): { ours: number; peer: number | null } | null {
  const read = ({ measure, of }: Subject) => figures.read(measure, of);
  const [mine, other] = [read(ours), peer ? read(peer) : null];
  return mine === undefined || other === undefined ? null : { ours: mine, peer: other };
}

function judge({ less, floor, goal, beyond }: Goal, value: number): Verdict {
  const reaches = (asked: number | undefined) =>
    asked !== undefined && (less ? value <= asked : value >= asked);
  if (reaches(beyond)) return "beyond";
  if (reaches(goal)) return "goal";
  if (reaches(floor)) return "floor";
  if (floor !== undefined) return "UNDER FLOOR";
  return goal === undefined ? "" : "under goal";
}
