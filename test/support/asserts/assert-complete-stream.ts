import assert from "node:assert/strict";
import type { LoggedEventType } from "../../../src/domain/queued-job-status.js";
import type { PhotoEvent } from "../../../src/domain/photo-event.js";
import type { QueuedJobEvent } from "../../../src/domain/queued-job.js";
import { assertLegalStory } from "./assert-legal-story.js";

interface Published {
  published: readonly QueuedJobEvent[];
  publishedPhotos: readonly PhotoEvent[];
}

/**
 * Asserts that the published events are complete: consecutive numbers per user over both streams,
 * and allowed transitions per QueuedJob. Returns the number of logged events of QueuedJobs. With
 * `only`, only for that user.
 */
export function assertCompleteStream(
  { published, publishedPhotos }: Published,
  only?: { id: string },
): number {
  const isAsserted = ({ userId }: { userId: string }) => !only || userId === only.id;
  const logged = published
    .filter(
      (event): event is QueuedJobEvent & { type: LoggedEventType } =>
        event.type !== "PROGRESS" && isAsserted(event.queuedJob),
    )
    .toSorted((a, b) => a.seq - b.seq);
  const numbers = [
    ...logged.map(({ seq, queuedJob: { userId } }) => ({ seq, userId })),
    ...publishedPhotos
      .filter(({ photo }) => isAsserted(photo))
      .map(({ seq, photo: { userId } }) => ({ seq, userId })),
  ].toSorted((a, b) => a.seq - b.seq);
  for (const [userId, ofUser] of groupBy(numbers, (number) => number.userId)) {
    assert.deepEqual(
      ofUser.map(({ seq }) => seq),
      ofUser.map((_, i) => i + 1),
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
