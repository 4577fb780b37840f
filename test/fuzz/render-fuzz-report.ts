import type { FuzzStatistics } from "./run-fuzz.js";

const MAX_VIOLATIONS = 40;

/** Renders the statistics of a run as tables, followed by its violations. */
export function renderFuzzReport(statistics: FuzzStatistics, seed: number): string {
  const deaths = [...statistics.ends]
    .filter(([end]) => end.startsWith("died"))
    .reduce((sum, [, times]) => sum + times, 0);
  const rows: [string, string | number][] = [
    ["seed", seed],
    ["files", statistics.files],
    ["accepted as uploads", statistics.taken],
    ["runs of Jobs", statistics.runs],
    ...[...statistics.ends].toSorted(byNumber),
    ["crashes of a child process", deaths],
    ["violations", statistics.violations.length],
    ["time", `${statistics.seconds.toFixed(1)} s`],
  ];
  const slowest = [...statistics.slowest].map(([job, ms]): [string, string] => [
    job,
    `${(ms / 1000).toFixed(1)} s`,
  ]);
  const violations = statistics.violations.slice(0, MAX_VIOLATIONS);
  return [
    "",
    ...table(rows),
    "",
    "slowest run of each Job",
    ...table(slowest),
    "",
    "messages to users",
    ...table(
      [...statistics.sentences]
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
