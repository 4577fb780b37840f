import type { JudgedGoal } from "./judge-goals.js";

const HEAD = ["", "measure", "ours", "peer", "ratio", "spread", "floor", "goal", "beyond", "verdict"];
/** The first of the columns that hold numbers, and the first behind them. */
const NUMBERS = { from: 2, to: 9 };

/** A table in Markdown, aligned for a terminal. */
export function renderGoals(judged: readonly JudgedGoal[]): string {
  const rows = judged.map(({ goal, ours, peer, value, spread, verdict }) => {
    const asked = (number: number | undefined) => (number === undefined ? "" : `${goal.less ? "≤" : "≥"} ${number}${peer === null ? "" : "×"}`);
    return [goal.workload, goal.title, short(ours), peer === null ? "" : short(peer), peer === null ? "" : `${short(value)}×`, `${Math.round(spread * 100)} %`, asked(goal.floor), asked(goal.goal), asked(goal.beyond), verdict];
  });
  const widths = HEAD.map((_, column) => Math.max(...[HEAD, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => (isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (isNumber(column) ? `${"-".repeat(width + 1)}:` : "-".repeat(width + 2))).join("|")}|`;
  return [line(HEAD), rule, ...rows.map(line)].join("\n");
}

function isNumber(column: number): boolean {
  return column >= NUMBERS.from && column < NUMBERS.to;
}

function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}
