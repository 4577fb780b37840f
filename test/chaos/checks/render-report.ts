import type { BystanderStatistics } from "../people/bystanders.js";
import type { Statistics, Longest } from "./statistics.js";
import type { HostileStatistics } from "../people/hostile-user.js";
import type { WebhookStatistics } from "./check-webhooks.js";
import type { Violations } from "./violations.js";

export interface Outcome {
  seed: number;
  minutes: number;
  accepted: number;
  eventsChecked: number;
  /** Groups that were accepted, groups without an end, and events whose counts were recomputed. */
  groups: { accepted: number; open: number; counted: number; countedInFeeds: number };
  files: { kept: number; swept: number };
  statistics: Statistics;
  webhooks: WebhookStatistics;
  bystanders: BystanderStatistics[];
  hostile: HostileStatistics;
  /** Longest time that an expired row existed; null if the run does not purge rows. */
  latestSeconds: number | null;
}

const MAX_SENTENCES = 60;

/** Renders the statistics of a run as tables, followed by its violations. */
export function renderReport(outcome: Outcome, violations: Violations): string {
  const faults = outcome.statistics.faults.map(({ kind, count, worstRecovery }): Row => [
    kind,
    `${String(count).padStart(4)}   ${seconds(worstRecovery)}`,
  ]);
  const sentences = violations.sentences.slice(0, MAX_SENTENCES);
  if (violations.sentences.length > sentences.length)
    sentences.push(`… and ${violations.sentences.length - sentences.length} more`);
  return [
    "",
    ...table([...countRows(outcome, violations), ...timeRows(outcome), ...hostileRows(outcome)]),
    "",
    "faults: count, and longest time from the end of a fault to the next event",
    ...table(faults),
    "",
    "other users, while",
    ...table(outcome.bystanders.map(bystanderRow)),
    "",
    ...sentences,
    "",
  ].join("\n");
}

type Row = readonly [string, string | number];

function countRows(outcome: Outcome, violations: Violations): Row[] {
  const { seed, minutes, accepted, eventsChecked, groups, files, statistics, webhooks } = outcome;
  return [
    ["seed", seed],
    ["minutes", minutes],
    ["QueuedJobs accepted", accepted],
    ["runs", statistics.runs],
    ["attempts lost with their worker", statistics.stalls],
    ["requests with unknown outcome", statistics.repeats],
    ["connections of feeds", statistics.connections],
    ["events checked", eventsChecked],
    [
      "webhooks delivered, attempts, repeated",
      `${webhooks.delivered}, ${webhooks.attempts}, ${webhooks.repeated}`,
    ],
    ["groups accepted, without an end", `${groups.accepted}, ${groups.open}`],
    ["counts recomputed in the log, in feeds", `${groups.counted}, ${groups.countedInFeeds}`],
    ["files kept, swept", `${files.kept}, ${files.swept}`],
    ["faults injected", statistics.faults.reduce((sum, { count }) => sum + count, 0)],
    ["lost", violations.count("lost")],
    ["repeated", violations.count("repeated")],
    ["out of order", violations.count("out of order")],
    ["stuck", violations.count("stuck")],
    ["other violations", violations.count("other")],
  ];
}

function timeRows({ statistics, latestSeconds }: Outcome): Row[] {
  const describe = ({ ms, jobId, at }: Longest) =>
    `${seconds(ms)}${jobId && `  (${jobId}, until ${new Date(at).toISOString().slice(11, 19)})`}`;
  const rows: Row[] = [
    ["longest from submit to start", describe(statistics.longestToStart)],
    ["longest from event to client", describe(statistics.longestToArrive)],
    ["longest from start to takeover", describe(statistics.longestToTakeOver)],
    ["longest reconnect of a feed", seconds(statistics.longestReconnect)],
    ["slowest response", seconds(statistics.slowestAnswer)],
  ];
  if (latestSeconds !== null)
    rows.push(["latest clean-up of an expired row", `${latestSeconds.toFixed(0)} s`]);
  return rows;
}

function hostileRows({ hostile }: Outcome): Row[] {
  return [
    ["hostile requests, refused", `${hostile.requests}, ${hostile.refused}`],
    ["hostile upgrades, deleted accounts", `${hostile.upgrades}, ${hostile.deletedAccounts}`],
  ];
}

function bystanderRow(row: BystanderStatistics): Row {
  const milliseconds = (ms: number) => `${ms.toFixed(0)} ms`;
  return [
    row.phase,
    `${row.accepted} accepted in ${milliseconds(row.acceptP50)} (p50), ` +
      `${milliseconds(row.acceptP99)} (p99); ${row.started} started in ` +
      `${milliseconds(row.startP99)} (p99)`,
  ];
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

function table(rows: readonly Row[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}
