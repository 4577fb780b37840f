import { decodeStreamCursor } from "../../../src/domain/cursors.js";
import { checkProgress } from "./check-progress.js";
import { groupBy } from "./group-by.js";
import type { FeedRecorder } from "../feeds/feed-recorder.js";
import type { LogRow, PhotoEventRow } from "./read-tables.js";
import type { ReceivedEvent } from "../feeds/received-event.js";
import type { Violations } from "./violations.js";

/** An event with its number in the log. */
export interface Numbered extends ReceivedEvent {
  seq: number;
}

/** Compares the events of one client with the log of its user. Returns the number of events. */
export function checkFeed(
  { name, person, events, gaps }: FeedRecorder,
  log: readonly LogRow[],
  {
    violations,
    purges,
    photoEvents,
  }: { violations: Violations; purges: boolean; photoEvents: readonly PhotoEventRow[] },
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
  // A log that was copied before its purge has no holes.
  const ofPhotos = photoEvents.filter(({ userId }) => userId === person.userId);
  if (!purges && gaps.length === 0) checkHoles(name, logged, { log, ofPhotos, violations });
  checkProgress(name, numbered, {
    skipped: skipped.map(({ from, to }) => ({
      to,
      rows: log.filter(({ seq }) => seq > from && seq <= to),
    })),
    violations,
  });
  return events.length;
}

export function checkOrder(
  name: string,
  logged: readonly Numbered[],
  violations: Violations,
): void {
  const seen = new Set<number>();
  let last = 0;
  for (const { seq, type, jobId } of logged) {
    if (seen.has(seq))
      violations.add("repeated", `${name} received event ${seq} (${type} of ${jobId}) again`);
    else if (seq < last)
      violations.add(
        "out of order",
        `${name} received event ${seq} (${type} of ${jobId}) after event ${last}`,
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
  const received = new Map(logged.map((event) => [event.seq, event]));
  // The deletion of a QueuedJob also deletes its earlier events.
  const deletions = new Map(
    log.filter(({ type }) => type === "DELETED").map(({ jobId, seq }) => [jobId, seq]),
  );
  for (const { seq, type, jobId, version, status, attempts, counts } of log) {
    const event = received.get(seq);
    const wasDeleted = seq < (deletions.get(jobId) ?? 0);
    if (!event && !wasDeleted)
      violations.add("lost", `${name} did not receive event ${seq}, ${type} of ${jobId}`);
    else if (!event) continue;
    else if (
      event.type !== type ||
      event.jobId !== jobId ||
      event.version !== version ||
      event.status !== status ||
      event.attempts !== attempts ||
      event.counts !== counts
    ) {
      violations.add(
        "other",
        `${name} received event ${seq} as ${event.type} of ${event.jobId} at version ` +
          `${event.version} (${event.counts}), but the log has ${type} of ${jobId} at version ` +
          `${version} (${counts})`,
      );
    }
  }
}

/**
 * Events missing from the log were deleted with their QueuedJob. The last version of each deleted
 * QueuedJob is the number of its events.
 */
function checkHoles(
  name: string,
  logged: readonly Numbered[],
  {
    log,
    ofPhotos,
    violations,
  }: { log: readonly LogRow[]; ofPhotos: readonly PhotoEventRow[]; violations: Violations },
): void {
  const stories = groupBy(logged, ({ jobId }) => jobId);
  const received = new Set(logged.map(({ seq }) => seq)).size;
  const last = log.at(-1)?.seq ?? 0;
  let deletedBefore = 0;
  for (const { jobId, version, type } of log) {
    if (type !== "DELETED") continue;
    const versions = (stories.get(jobId) ?? []).map((event) => event.version);
    if (versions.some((other, i) => i > 0 && other <= (versions[i - 1] ?? 0)))
      violations.add(
        "out of order",
        `${name} received versions ${versions.join(", ")} of ${jobId}`,
      );
    deletedBefore += version - new Set(versions).size;
  }
  // No photo of these people is deleted, so all events of their photos are there.
  const others = ofPhotos.filter(({ seq }) => seq < last).length;
  if (received + deletedBefore + others !== last)
    violations.add(
      "lost",
      `${name} received ${received} of ${last} events; deletions explain only ${deletedBefore}, ` +
        `and photos ${others}`,
    );
}
