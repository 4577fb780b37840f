import type { FeedRecorder } from "../feeds/feed-recorder.js";
import type { Person } from "./person.js";
import type { Violations } from "../checks/violations.js";

/** A part of the run that is measured separately: without disturbance, or with the hostile user. */
export interface Phase {
  name: string;
  from: number;
  to: number;
}

/** Latencies of well-behaved users, in milliseconds. */
export interface BystanderStatistics {
  phase: string;
  accepted: number;
  acceptP50: number;
  acceptP99: number;
  started: number;
  startP99: number;
}

/** Maximum factor by which a hostile user may slow the 99th percentile of others. */
const MAX_RATIO = 3;
/** Below these times users notice no difference, and few samples would decide. */
const UNNOTICED_ACCEPT_MS = 100;
const UNNOTICED_START_MS = 2000;
/** With fewer samples, the 99th percentile is only the slowest sample. */
const MIN_SAMPLES = 300;

export function measureBystanders(
  phases: readonly Phase[],
  people: readonly Person[],
  steady: readonly FeedRecorder[],
): BystanderStatistics[] {
  const accepts = people.flatMap(({ ledger }) => ledger.accepts);
  const starts = people.flatMap((person, i) => startsOf(person, steady[i]));
  return phases.map(({ name, from, to }) => {
    const within = ({ at }: { at: number }) => at >= from && at < to;
    const accept = accepts.filter(within).map(({ ms }) => ms);
    const start = starts.filter(within).map(({ ms }) => ms);
    return {
      phase: name,
      accepted: accept.length,
      acceptP50: percentile(accept, 0.5),
      acceptP99: percentile(accept, 0.99),
      started: start.length,
      startP99: percentile(start, 0.99),
    };
  });
}

/** The first phase is the quiet one. */
export function checkBystanders(
  [quiet, ...others]: readonly BystanderStatistics[],
  violations: Violations,
): void {
  if (!quiet || quiet.accepted < MIN_SAMPLES) return;
  function compare(
    what: string,
    phase: string,
    ms: number,
    quietMs: number,
    unnoticedMs: number,
  ): void {
    if (ms <= Math.max(unnoticedMs, quietMs * MAX_RATIO)) return;
    violations.add(
      "other",
      `${what} of other users took ${ms.toFixed(0)} ms (p99) while ${phase}, but only ` +
        `${quietMs.toFixed(0)} ms before`,
    );
  }
  for (const { phase, acceptP99, startP99 } of others) {
    compare("accepts", phase, acceptP99, quiet.acceptP99, UNNOTICED_ACCEPT_MS);
    compare("starts", phase, startP99, quiet.startP99, UNNOTICED_START_MS);
  }
}

/** Times from QUEUED to STARTED, for jobs that may start at once. */
function startsOf(
  { ledger }: Person,
  feed: FeedRecorder | undefined,
): { at: number; ms: number }[] {
  const queued = new Map<string, number>();
  const starts: { at: number; ms: number }[] = [];
  for (const { type, jobId, at, version } of feed?.events ?? []) {
    if (type === "QUEUED" && ledger.accepted.get(jobId)?.immediate) queued.set(jobId, at);
    const since = queued.get(jobId);
    if (type === "STARTED" && version === 2 && since !== undefined)
      starts.push({ at: since, ms: at - since });
  }
  return starts;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
