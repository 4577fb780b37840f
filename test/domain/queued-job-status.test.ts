import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  FINISHED_STATUSES,
  LOGGED_EVENT_TYPES,
  QUEUED_JOB_STATUSES,
  TRANSITIONS,
  UNFINISHED_STATUSES,
  endsStream,
  isFinished,
  type LoggedEventType,
  type QueuedJobStatus,
  type Transition,
} from "../../src/domain/queued-job-status.js";

const steps: [name: string, step: Transition][] = Object.entries(TRANSITIONS);
const reachableFrom = (status: QueuedJobStatus) =>
  steps.filter(([, { from }]) => from.includes(status)).map(([name]) => name);
/** Null means that the row is deleted. */
const statusesAfter = (type: LoggedEventType) => [
  ...new Set(steps.filter(([, { event }]) => event === type).map(([, { to }]) => to)),
];

describe("the states of a QueuedJob", () => {
  it("are each either finished or unfinished", () => {
    assert.deepEqual([...UNFINISHED_STATUSES, ...FINISHED_STATUSES], QUEUED_JOB_STATUSES);
    assert.deepEqual(QUEUED_JOB_STATUSES.filter(isFinished), FINISHED_STATUSES);
  });

  const allowed: Record<QueuedJobStatus, string[]> = {
    PENDING: ["claim", "cancel"],
    STARTED: ["succeed", "fail", "backOff", "cancel"],
    SUCCESS: ["delete"],
    FAILED: ["retry", "delete"],
    CANCELLED: ["retry", "delete"],
  };
  for (const status of QUEUED_JOB_STATUSES)
    it(`allow from ${status}: ${allowed[status].join(", ")}`, () =>
      assert.deepEqual(reachableFrom(status), allowed[status]));

  it("begin with the only step that has no source", () => {
    assert.deepEqual(
      steps.filter(([, { from }]) => from.length === 0).map(([name]) => name),
      ["enqueue"],
    );
  });

  it("follow from the event: each event leads to exactly one status", () => {
    for (const type of LOGGED_EVENT_TYPES) assert.equal(statusesAfter(type).length, 1, type);
  });

  it("identify the step together with the event", () => {
    for (const status of QUEUED_JOB_STATUSES) {
      const events = reachableFrom(status).map(
        (name) => (TRANSITIONS as Record<string, Transition>)[name]?.event,
      );
      assert.equal(new Set(events).size, events.length, status);
    }
  });

  it("end a stream of one QueuedJob when they are final or it is deleted", () => {
    const ending = ([...LOGGED_EVENT_TYPES, "PROGRESS"] as const).filter(endsStream);
    assert.deepEqual(ending, ["SUCCEEDED", "FAILED", "CANCELLED", "DELETED"]);
    for (const type of LOGGED_EVENT_TYPES) {
      const [after = null] = statusesAfter(type);
      assert.equal(endsStream(type), after === null || isFinished(after), type);
    }
  });
});
