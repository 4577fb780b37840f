import assert from "node:assert/strict";
import type { LoggedEventType } from "../../../src/domain/queued-job-status.js";
import type { QueuedJobEvent } from "../../../src/domain/queued-job.js";
import { assertLegalStory } from "./assert-legal-story.js";

/**
 * Asserts that the published events are complete: consecutive numbers per user, and allowed
 * transitions per QueuedJob. Returns the number of logged events.
 */
export function assertCompleteStream(published: readonly QueuedJobEvent[]): number {
  const logged = published
    .filter(
      (event): event is QueuedJobEvent & { type: LoggedEventType } => event.type !== "PROGRESS",
    )
    .toSorted((a, b) => a.seq - b.seq);
  for (const [userId, events] of groupBy(logged, ({ queuedJob }) => queuedJob.userId)) {
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, i) => i + 1),
      `the numbers of ${userId} have no gap and no repeat`,
    );
  }
  for (const [id, events] of groupBy(logged, ({ queuedJob }) => queuedJob.id))
    assertLegalStory(
      id,
      events.map(({ type, queuedJob }) => ({
        type,
        version: queuedJob.version,
        status: queuedJob.status,
      })),
    );
  return logged.length;
}

function groupBy<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
