// Recomputes from the published events what a group must have shown and done.
import assert from "node:assert/strict";
import type { JobGroup } from "../../../../../src/domain/job-group.js";
import type { QueuedJobEvent } from "../../../../../src/domain/queued-job.js";
import { isFinished, type QueuedJobStatus } from "../../../../../src/domain/queued-job-status.js";

/** What a node follows, and whether a failure of these matters. */
export interface Edges {
  follows: string[];
  runsAnyway: boolean;
}

/** All events of a group, in order. `edges` has an entry for each of its QueuedJobs. */
export function checkEvents(
  events: readonly QueuedJobEvent[],
  edges: ReadonlyMap<string, Edges>,
): void {
  const statuses = new Map<string, QueuedJobStatus>();
  const waits = new Map<string, Wait>();
  for (const id of edges.keys()) statuses.set(id, "PENDING");
  for (const { type, queuedJob } of events) {
    if (type === "PROGRESS") continue;
    const { id, status, member, error } = queuedJob;
    const { follows, runsAnyway } = edges.get(id) ?? assert.fail(`${id} belongs to no group`);
    const before = waits.get(id);
    if (type === "STARTED")
      assert.ok(before?.wasDue, `${id} started before what it follows had finished`);
    if (error?.code === "PREDECESSOR_FAILED" && type === "CANCELLED")
      assert.ok(before?.isDoomed && !runsAnyway, `${id} was cancelled without a reason`);
    if (type !== "DELETED") statuses.set(id, status);
    if (member) checkCounts(member.group, statuses, `${type} of ${member.key}`);
    if (type === "QUEUED") {
      const wasDue = follows.every((other) => isOver(statuses.get(other)));
      waits.set(id, { wasDue, isDoomed: false });
    }
    if (type === "SUCCEEDED" || type === "FAILED" || type === "CANCELLED")
      noteEnd(id, { edges, statuses, waits });
  }
}

/** The state of a node since it was submitted or retried. */
interface Wait {
  /** True once all that it follows had finished at the same time, without dooming it. */
  wasDue: boolean;
  /** True if one that it needs has failed while it waited. */
  isDoomed: boolean;
}

const isOver = (status: QueuedJobStatus | undefined): boolean => !status || isFinished(status);

function noteEnd(
  ended: string,
  {
    edges,
    statuses,
    waits,
  }: {
    edges: ReadonlyMap<string, Edges>;
    statuses: ReadonlyMap<string, QueuedJobStatus>;
    waits: ReadonlyMap<string, Wait>;
  },
): void {
  for (const [id, { follows, runsAnyway }] of edges) {
    const wait = waits.get(id);
    if (!wait || wait.wasDue || !follows.includes(ended)) continue;
    if (!runsAnyway && statuses.get(ended) !== "SUCCESS") wait.isDoomed = true;
    wait.wasDue = !wait.isDoomed && follows.every((other) => isOver(statuses.get(other)));
  }
}

function checkCounts(
  group: JobGroup,
  statuses: ReadonlyMap<string, QueuedJobStatus>,
  what: string,
): void {
  const all = [...statuses.values()];
  const count = (status: QueuedJobStatus) => all.filter((other) => other === status).length;
  const { total, pending, started, succeeded, failed, cancelled, finishedAt } = group;
  assert.deepEqual(
    { total, pending, started, succeeded, failed, cancelled },
    {
      total: all.length,
      pending: count("PENDING"),
      started: count("STARTED"),
      succeeded: count("SUCCESS"),
      failed: count("FAILED"),
      cancelled: count("CANCELLED"),
    },
    `the counts of ${what}`,
  );
  assert.equal(finishedAt !== null, pending + started === 0, `the end shown by ${what}`);
}
