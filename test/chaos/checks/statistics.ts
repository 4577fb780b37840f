import type { FeedRecorder } from "../feeds/feed-recorder.js";
import type { Injected } from "../faults/inject-faults.js";
import type { Person } from "../people/person.js";

/** The longest wait of a kind. */
export interface Longest {
  ms: number;
  jobId: string;
  /** End of the wait. */
  at: number;
}

/** Statistics of a run; times are in milliseconds. */
export interface Statistics {
  runs: number;
  longestToStart: Longest;
  longestToArrive: Longest;
  /** From STARTED to the event of the lost attempt. */
  longestToTakeOver: Longest;
  longestReconnect: number;
  slowestAnswer: number;
  repeats: number;
  stalls: number;
  connections: number;
  faults: { kind: string; count: number; worstRecovery: number }[];
}

export function measure({
  people,
  feeds,
  steady,
  faults,
}: {
  people: Person[];
  feeds: FeedRecorder[];
  steady: FeedRecorder[];
  faults: Injected[];
}): Statistics {
  const streams = steady.map((feed) => feed.events.filter(({ type }) => type !== "PROGRESS"));
  const immediate = new Set(
    people.flatMap(({ ledger }) =>
      [...ledger.accepted.values()].filter((accepted) => accepted.immediate).map(({ id }) => id),
    ),
  );
  return {
    runs: count(streams, (event) => event.type === "QUEUED"),
    ...measureWaits(streams, immediate),
    longestToArrive: streams
      .flat()
      .reduce(
        (longest, { at, receivedAt, jobId }) => longer(longest, receivedAt - at, jobId, receivedAt),
        NONE,
      ),
    longestReconnect: Math.max(...feeds.map(({ longestGapMs }) => longestGapMs)),
    slowestAnswer: Math.max(...people.map(({ api }) => api.slowestMs)),
    repeats: people.reduce((sum, { ledger }) => sum + ledger.repeats, 0),
    stalls: count(streams, (event) => event.type === "RETRYING" && event.errorCode === "STALLED"),
    connections: feeds.reduce((sum, feed) => sum + feed.connections, 0),
    faults: measureRecoveries(streams.flat(), faults),
  };
}

type Events = FeedRecorder["events"];

const NONE: Longest = { ms: 0, jobId: "", at: 0 };

function longer(longest: Longest, ms: number, jobId: string, at: number): Longest {
  return ms > longest.ms ? { ms, jobId, at } : longest;
}

function measureWaits(
  streams: Events[],
  immediate: ReadonlySet<string>,
): { longestToStart: Longest; longestToTakeOver: Longest } {
  let [longestToStart, longestToTakeOver] = [NONE, NONE];
  for (const events of streams) {
    const since = new Map<string, { type: string; at: number }>();
    for (const { jobId, type, at, version, errorCode } of events) {
      const before = since.get(jobId);
      if (type === "STARTED" && version === 2 && before?.type === "QUEUED" && immediate.has(jobId))
        longestToStart = longer(longestToStart, at - before.at, jobId, at);
      if (errorCode === "STALLED" && before?.type === "STARTED" && type !== "CANCELLED")
        longestToTakeOver = longer(longestToTakeOver, at - before.at, jobId, at);
      since.set(jobId, { type, at });
    }
  }
  return { longestToStart, longestToTakeOver };
}

/** Time from the end of each fault to the arrival of the next event after it. */
function measureRecoveries(events: Events, faults: Injected[]): Statistics["faults"] {
  const rows = new Map<string, { kind: string; count: number; worstRecovery: number }>();
  for (const { kind, endedAt } of faults) {
    const next = events.reduce(
      (first, { at, receivedAt }) => (at >= endedAt && receivedAt < first ? receivedAt : first),
      Infinity,
    );
    const row = rows.get(kind) ?? { kind, count: 0, worstRecovery: 0 };
    row.count++;
    if (next !== Infinity) row.worstRecovery = Math.max(row.worstRecovery, next - endedAt);
    rows.set(kind, row);
  }
  return [...rows.values()].toSorted((a, b) => a.kind.localeCompare(b.kind));
}

function count(streams: Events[], test: (event: Events[number]) => boolean): number {
  return streams.reduce((sum, events) => sum + events.filter(test).length, 0);
}
