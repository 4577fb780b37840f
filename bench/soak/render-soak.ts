import { renderTable } from "../report/render-table.js";
import type { JudgedValue } from "./judge-soak.js";

export function renderSoak(measurements: readonly JudgedValue[]): string {
  const rows = measurements.map(({ name, start, end, most, perHour, verdict }) => [
    name,
    short(start),
    short(most),
    short(end),
    `${perHour > 0 ? "+" : ""}${short(perHour)}`,
    verdict,
  ]);
  return renderTable({
    head: ["", "start", "most", "end", "slope/h", "verdict"],
    rows,
    numbers: { from: 1, to: 5 },
  });
}

function short(value: number): string {
  return value.toFixed(Number.isInteger(value) ? 0 : 1);
}
