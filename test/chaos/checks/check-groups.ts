import type { AcceptedGroup } from "../people/ledger.js";
import type { Person } from "../people/person.js";
import { sourcesOf } from "../people/make-group.js";
import { countsText, type Counts } from "../feeds/counts-text.js";
import { groupBy } from "./group-by.js";
import type { JobRow, Tables } from "./read-tables.js";
import type { Violations } from "./violations.js";

/** A logged event of a QueuedJob with a group, as the log has it or as a client received it. */
export interface GroupStep {
  jobId: string;
  type: string;
  version: number;
  status: string;
  groupId: string | null;
  /** The counts that it shows, in the form of `countsText`; null for a deleted group. */
  counts: string | null;
}

/**
 * Recomputes the counts of all groups from these events, which are in order. Leaves out a group
 * whose events are incomplete beside the log, because it was deleted, or because a client skipped
 * some after a failover. Returns the number of checked events.
 */
export function checkCounts(
  name: string,
  steps: readonly GroupStep[],
  { log, violations }: { log: readonly GroupStep[]; violations: Violations },
): number {
  let checked = 0;
  const versions = new Map(log.map(({ jobId, version }) => [jobId, version]));
  const grouped = steps.filter(({ groupId, type }) => groupId !== null && type !== "PROGRESS");
  for (const [groupId, events] of groupBy(grouped, (step) => step.groupId ?? "")) {
    const total = Number(events.find(({ counts }) => counts !== null)?.counts?.split(" ")[0]);
    if (!isComplete(events, { total, versions })) continue;
    const statuses = new Map<string, string>();
    for (const { jobId, type, status, counts } of events) {
      if (type !== "DELETED") statuses.set(jobId, status);
      if (counts === null) continue;
      const expected = countsText(recompute([...statuses.values()], total));
      checked++;
      if (counts !== expected)
        violations.add(
          "other",
          `${name} shows ${counts} at ${type} of ${jobId} in the group ${groupId}, not ${expected}`,
        );
    }
  }
  return checked;
}

/** True if the events have every version of every job. */
function isComplete(
  events: readonly GroupStep[],
  { total, versions }: { total: number; versions: ReadonlyMap<string, number> },
): boolean {
  const stories = groupBy(events, ({ jobId }) => jobId);
  return (
    stories.size === total &&
    [...stories].every(
      ([jobId, story]) =>
        story.length === versions.get(jobId) && story.every(({ version }, i) => version === i + 1),
    )
  );
}

function recompute(statuses: readonly string[], total: number): Counts {
  const count = (status: string) => statuses.filter((other) => other === status).length;
  const pending = count("PENDING") + total - statuses.length;
  const started = count("STARTED");
  return {
    total,
    pending,
    started,
    succeeded: count("SUCCESS"),
    failed: count("FAILED"),
    cancelled: count("CANCELLED"),
    finishedAt: pending + started === 0 ? "the end" : null,
  };
}

/** Checks that every accepted group exists and has ended as its graph says. Returns their number. */
export function checkGroups(
  { ledger }: Person,
  { groups, jobs }: Tables,
  { violations, purges }: { violations: Violations; purges: boolean },
): number {
  const rows = new Map(groups.map((group) => [group.id, group]));
  const members = groupBy(
    jobs.filter(({ groupId }) => groupId !== null),
    ({ groupId }) => groupId ?? "",
  );
  for (const group of ledger.groups.values()) {
    const row = rows.get(group.id);
    if (!row && group.deletion === "none" && !purges)
      violations.add("lost", `the group ${group.id} was accepted, but does not exist`);
    if (row && group.deletion === "answered")
      violations.add("other", `the group ${group.id} was deleted, but still exists`);
    if (row) checkEnds(group, members.get(group.id) ?? [], violations);
  }
  return ledger.groups.size;
}

/** Groups of all users that have not finished. */
export function checkNoneIsOpen({ groups }: Tables, violations: Violations): number {
  const open = groups.filter(({ isFinished }) => !isFinished);
  for (const { id } of open) violations.add("stuck", `the group ${id} has no end`);
  return open.length;
}

/** Without help from its owner, the end of a job follows from those of its predecessors. */
function checkEnds(
  { id, jobs, touched }: AcceptedGroup,
  rows: readonly JobRow[],
  violations: Violations,
): void {
  const ends = new Map(rows.map(({ key, status }) => [key, status]));
  for (const job of touched ? [] : jobs) {
    const status = ends.get(job.key);
    const isNeedy = job.ifPredecessorFails !== "RUN";
    const lacks = sourcesOf(job).some((key) => ends.get(key) !== "SUCCESS");
    const expected = isNeedy && lacks ? ["CANCELLED"] : ["SUCCESS", "FAILED"];
    if (!status || !expected.includes(status))
      violations.add("other", `${job.key} of the group ${id} ended as ${status}`);
    if (status === "SUCCESS" && job.parameters.failPermanently)
      violations.add("other", `${job.key} of the group ${id} succeeded, but must fail`);
  }
}
