import type { FuzzFigures } from "./run-fuzz.js";

const MOST_VIOLATIONS = 40;

/** The figures of a run as tables, and what must not have been. */
export function renderFuzzReport(figures: FuzzFigures, seed: number): string {
  const deaths = [...figures.ends]
    .filter(([end]) => end.startsWith("died"))
    .reduce((sum, [, times]) => sum + times, 0);
  const rows: [string, string | number][] = [
    ["seed", seed],
    ["files", figures.files],
    ["of them taken by an upload", figures.taken],
    ["runs of Jobs", figures.runs],
    ...[...figures.ends].toSorted(byNumber),
    ["deaths of a child", deaths],
    ["violations", figures.violations.length],
    ["time", `${figures.seconds.toFixed(1)} s`],
  ];
  const slowest = [...figures.slowest].map(([job, ms]): [string, string] => [
    job,
    `${(ms / 1000).toFixed(1)} s`,
  ]);
  const violations = figures.violations.slice(0, MOST_VIOLATIONS);
  return [
    "",
    ...table(rows),
    "",
    "the slowest run of each Job",
    ...table(slowest),
    "",
    "what was told",
    ...table(
      [...figures.sentences]
        .toSorted(byNumber)
        .map(([sentence, times]) => [String(times), sentence]),
    ),
    "",
    ...violations,
    "",
  ].join("\n");
}

function byNumber([, a]: [string, number], [, b]: [string, number]): number {
  return b - a;
}

function table(rows: readonly (readonly [string, string | number])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}
