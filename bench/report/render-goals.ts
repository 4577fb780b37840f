import type { JudgedGoal } from "./judge-goals.js";
import { renderTable } from "./render-table.js";

export function renderGoals(judged: readonly JudgedGoal[]): string {
  const rows = judged.map(({ goal, ours, peer, value, spread, verdict }) => {
    const limit = (number: number | undefined) =>
      number === undefined ? "" : `${goal.less ? "≤" : "≥"} ${number}${peer === null ? "" : "×"}`;
    return [
      goal.workload,
      goal.title,
      short(ours),
      peer === null ? "" : short(peer),
      peer === null ? "" : `${short(value)}×`,
      `${Math.round(spread * 100)} %`,
      limit(goal.floor),
      limit(goal.goal),
      limit(goal.beyond),
      verdict,
    ];
  });
  return renderTable({
    head: ["", "measure", "ours", "peer", "ratio", "spread", "floor", "goal", "beyond", "verdict"],
    rows,
    numbers: { from: 2, to: 9 },
  });
}

function short(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
