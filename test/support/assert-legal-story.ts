import assert from "node:assert/strict";
import { STATUS_AFTER, TRANSITIONS } from "../../src/queued-job-status.js";
import type { LoggedEventType, QueuedJobStatus } from "../../src/queued-job-status.js";

/** That the events of one QueuedJob, from its first, are steps that are allowed, each with the next version. */
export function assertLegalStory(id: string, story: { type: LoggedEventType; version: number; status: QueuedJobStatus }[]): void {
  assert.deepEqual(story.map(({ version }) => version), story.map((_, i) => i + 1), `${id}: versions have no gap`);
  let status: QueuedJobStatus | null = null;
  for (const step of story) {
    const before: QueuedJobStatus | null = status;
    const legal = Object.values(TRANSITIONS).some(({ from, event }) => event === step.type && (before === null ? from.length === 0 : (from as readonly QueuedJobStatus[]).includes(before)));
    assert.ok(legal, `${id}: ${step.type} after ${before ?? "nothing"} (${story.map(({ type }) => type).join(" ")})`);
    status = STATUS_AFTER[step.type] ?? before;
    assert.equal(step.status, status, `${id}: ${step.type} shows its status`);
  }
}
