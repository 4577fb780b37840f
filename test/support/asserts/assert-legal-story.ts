import assert from "node:assert/strict";
import {
  TRANSITIONS,
  type LoggedEventType,
  type QueuedJobStatus,
  type Transition,
} from "../../../src/domain/queued-job-status.js";

/** Asserts that all events of one QueuedJob are allowed transitions with consecutive versions. */
export function assertLegalStory(
  id: string,
  story: { type: LoggedEventType; version: number; status: QueuedJobStatus }[],
): void {
  assert.deepEqual(
    story.map(({ version }) => version),
    story.map((_, i) => i + 1),
    `${id}: versions have no gap`,
  );
  let status: QueuedJobStatus | null = null;
  for (const step of story) {
    const before: QueuedJobStatus | null = status;
    const legal: Transition | undefined = Object.values<Transition>(TRANSITIONS).find(
      ({ from, event }) =>
        event === step.type && (before === null ? from.length === 0 : from.includes(before)),
    );
    assert.ok(
      legal,
      `${id}: ${step.type} after ${before ?? "nothing"} ` +
        `(${story.map(({ type }) => type).join(" ")})`,
    );
    status = legal.to ?? before;
    assert.equal(step.status, status, `${id}: ${step.type} shows its status`);
  }
}
