import assert from "node:assert/strict";
import type { Sql } from "postgres";
import type { JobGroup } from "../../../../../src/domain/job-group.js";
import type { QueuedJobSnapshot } from "../../../../../src/domain/queued-job.js";

/** Asserts that each event of a group shows the counts that follow from the events before it. */
export async function assertExactCounts(
  sql: Sql,
  { id, total }: Pick<JobGroup, "id" | "total">,
  about = "",
): Promise<void> {
  const events = await sql<{ type: string; snapshot: QueuedJobSnapshot }[]>`
    select type, snapshot from queued_job_events where group_id = ${id} order by seq`;
  const statuses = new Map<string, string>();
  for (const { type, snapshot } of events) {
    statuses.set(snapshot.id, snapshot.status);
    const count = (status: string) =>
      [...statuses.values()].filter((other) => other === status).length;
    const expected = {
      pending: count("PENDING") + total - statuses.size,
      started: count("STARTED"),
      succeeded: count("SUCCESS"),
      failed: count("FAILED"),
      cancelled: count("CANCELLED"),
    };
    const { pending, started, succeeded, failed, cancelled, finishedAt } =
      snapshot.member?.group ?? assert.fail(`${type} of ${snapshot.id} shows no group ${about}`);
    const shown = { pending, started, succeeded, failed, cancelled };
    assert.deepEqual(shown, expected, `${type} of ${snapshot.id} ${about}`);
    assert.equal(finishedAt !== null, pending + started === 0, `the end ${about}`);
  }
}
