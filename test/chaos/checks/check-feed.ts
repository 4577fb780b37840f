import { decodeStreamCursor } from "../../../src/domain/cursors.js";
import { checkProgress } from "./check-progress.js";
import { groupBy } from "./group-by.js";
import type { FeedRecorder } from "../feeds/feed-recorder.js";
import type { LogRow } from "./read-tables.js";
import type { ToldEvent } from "../feeds/told-event.js";
import type { Violations } from "./violations.js";

/** An event of the log, with its number. */
export interface Numbered extends ToldEvent {
  seq: number;
}

/** What one client was told against the log of its user. Returns how many events were checked. */
export function checkFeed(
  { name, person, events, gaps }: FeedRecorder,
  log: readonly LogRow[],
  { violations, purges }: { violations: Violations; purges: boolean },
): number {
  const numbered = events.map((event): Numbered => ({
    ...event,
    seq: decodeStreamCursor(event.cursor, person.userId).seq,
  }));
  const logged = numbered.filter(({ type }) => type !== "PROGRESS");
  const seqOf = (cursor: string) => decodeStreamCursor(cursor, person.userId).seq;
  const skipped = gaps.map(({ from, to }) => ({ from: seqOf(from), to: seqOf(to) }));
  const isSkipped = (seq: number) => skipped.some(({ from, to }) => seq > from && seq <= to);
  checkOrder(name, logged, violations);
  checkAgainstLog(
    name,
    logged,
    log.filter(({ seq }) => !isSkipped(seq)),
    violations,
  );
  // A log that was copied before it was purged has no holes.
  if (!purges && gaps.length === 0) checkHoles(name, logged, log, violations);
  checkProgress(name, numbered, {
    skipped: skipped.map(({ from, to }) => ({
      to,
      rows: log.filter(({ seq }) => seq > from && seq <= to),
    })),
    violations,
  });
  return events.length;
}

function checkOrder(name: string, logged: readonly Numbered[], violations: Violations): void {
  const seen = new Set<number>();
  let last = 0;
  for (const { seq, type, jobId } of logged) {
    if (seen.has(seq))
      violations.add("repeated", `${name} was told event ${seq} (${type} of ${jobId}) again`);
    else if (seq < last)
      violations.add(
        "out of order",
        `${name} was told event ${seq} (${type} of ${jobId}) after event ${last}`,
      );
    seen.add(seq);
    last = Math.max(last, seq);
  }
}

function checkAgainstLog(
  name: string,
  logged: readonly Numbered[],
  log: readonly LogRow[],
  violations: Violations,
): void {
  const told = new Map(logged.map((event) => [event.seq, event]));
  // A QueuedJob that its owner deletes takes its earlier events with it.
  const deletions = new Map(
    log.filter(({ type }) => type === "DELETED").map(({ jobId, seq }) => [jobId, seq]),
  );
  for (const { seq, type, jobId, version, status, attempts } of log) {
    const event = told.get(seq);
    const wasDeleted = seq < (deletions.get(jobId) ?? 0);
    if (!event && !wasDeleted)
      violations.add("lost", `${name} was not told event ${seq}, ${type} of ${jobId}`);
    else if (!event) continue;
    else if (
      event.type !== type ||
      event.jobId !== jobId ||
      event.version !== version ||
      event.status !== status ||
      event.attempts !== attempts
    ) {
      violations.add(
        "other",
        `${name} was told event ${seq} as ${event.type} of ${event.jobId} at ` +
          `${event.version}, and the log says ${type} of ${jobId} at ${version}`,
      );
    }
  }
}

/**
 * What is in no log any more was deleted with its QueuedJob: each of those accounts for as many as
 * its last version says.
 */
function checkHoles(
  name: string,
  logged: readonly Numbered[],
  log: readonly LogRow[],
  violations: Violations,
): void {
  const stories = groupBy(logged, ({ jobId }) => jobId);
  const told = new Set(logged.map(({ seq }) => seq)).size;
  const last = log.at(-1)?.seq ?? 0;
  let deletedUntold = 0;
  for (const { jobId, version, type } of log) {
    if (type !== "DELETED") continue;
    const versions = (stories.get(jobId) ?? []).map((event) => event.version);
    if (versions.some((other, i) => i > 0 && other <= (versions[i - 1] ?? 0)))
      violations.add(
        "out of order",
        `${name} was told versions ${versions.join(", ")} of ${jobId}`,
      );
    deletedUntold += version - new Set(versions).size;
  }
  if (told + deletedUntold !== last)
    violations.add(
      "lost",
      `${name} was told ${told} of ${last} events, and deletions account for ${deletedUntold} only`,
    );
}
