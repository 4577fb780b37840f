import type { Mutant } from "../mutant.js";

const STEPS = ["transition/grouped/steps.test"];
const WIDE = ["transition/grouped/wide.test"];
const CHECK = ["groups/check-group.test"];
const OWNER = ["groups/owner-groups.test"];

const GROUPED = "src/services/queued-jobs/transition/grouped.ts";
const COUNTS = "src/services/queued-jobs/transition/group-counts.ts";
const GRAPH = "src/services/queued-jobs/groups/graph.ts";
const HANDED = "src/services/queued-jobs/groups/handed-pictures.ts";

/** Groups: exact counts in every event, and no member that waits without end. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a successor runs before its last predecessor has finished",
    file: GROUPED,
    find: "case when f.waited ${by} > 0 or",
    replace: "case when f.waited ${by} > 1 or",
    tests: STEPS,
  },
  {
    breaks: "a successor of a failed predecessor runs",
    file: GROUPED,
    find: "sql`or f.doomed`",
    replace: "none",
    tests: STEPS,
  },
  {
    breaks: "a step of many rows reads all of its neighbours for each of them",
    file: GROUPED,
    find: "from f\n      where q.id = f.row_id and f.was = 'PENDING' and f.waited > 0 and not f.ok",
    replace:
      "from f join k on k.row_id = f.row_id\n      where q.id = any(array(select row_id from f)) and q.id = f.row_id and k.was = 'PENDING' and k.waited > 0 and not k.ok",
    tests: WIDE,
  },
  {
    breaks: "the events of one statement show the same counts",
    file: COUNTS,
    find: "isMany ? countsAfter(sql, parts, later) : groupCounts(sql)",
    replace: "groupCounts(sql)",
    tests: STEPS,
  },
  {
    breaks: "a retried member does not wait for a predecessor that is retried with it",
    file: GROUPED,
    find: "and (k.ok or k.was in ('PENDING', 'STARTED'))",
    replace: "and k.was in ('PENDING', 'STARTED')",
    tests: STEPS,
  },
  {
    breaks: "a row of a group that dies between two waves is never cancelled",
    file: "src/services/queued-jobs/commit.ts",
    find: "if (cancelled === 0) return count;\n    count += cancelled;",
    replace: "return count + cancelled;",
    tests: STEPS,
  },
  {
    breaks: "a cycle is accepted",
    file: GRAPH,
    find: 'if (state === "open") issues.push({ path, message: "closes a cycle" });\n      else ',
    replace: "",
    tests: CHECK,
  },
  {
    breaks: "pictures come in the order of the outputs instead of the order of the sources",
    file: HANDED,
    find: "order by d.position, array_position",
    replace: "order by array_position",
    tests: OWNER,
  },
  {
    breaks: "pictures that an unfinished member takes can be deleted",
    file: HANDED,
    find: "where coalesce(status, 'STARTED') in ('PENDING', 'STARTED'))`",
    replace: "where status = 'NONE')`",
    tests: OWNER,
  },
  {
    breaks: "a member that is being retried does not count as unfinished",
    file: HANDED,
    find: "coalesce(status, 'STARTED')",
    replace: "coalesce(status, 'FAILED')",
    tests: OWNER,
  },
  {
    breaks: "a finished member is purged before its group ends",
    file: "src/services/queued-jobs/statements.ts",
    find: "case when group_id is null then now() + ${ttlSeconds}",
    replace: "case when true then now() + ${ttlSeconds}",
    tests: OWNER,
  },
  {
    breaks: "a group is deleted while it runs",
    file: "src/services/queued-jobs/groups/remove-groups.ts",
    find: "where id = ${groupId} and pending + started = 0",
    replace: "where id = ${groupId}",
    tests: [...STEPS, ...OWNER],
  },
  {
    breaks: "successors of a finished member get no hint",
    file: "src/services/queued-jobs/commit.ts",
    find: "if (due.length > 0) await dispatcher.add(due);",
    replace: "",
    tests: STEPS,
  },
  {
    breaks: "a PROGRESS shows older counts of its group than the event before it",
    file: "src/events/progress-updates.ts",
    find: "entry.event = this.#withLoggedGroup(entry.event);",
    replace: "",
    tests: ["events/progress-updates.test"],
  },
  {
    breaks: "the stream of a group ends with the first finished member",
    file: "src/events/subscription.ts",
    find: "return event.queuedJob.member?.group.finishedAt != null;",
    replace: "return true;",
    tests: ["events/feed/group.test"],
  },
  {
    breaks: "a member that is cancelled by its owner's group runs on after the process died",
    file: "src/services/queued-jobs/groups/cancel-marked.ts",
    find: "set cancelling = 'OWNER',",
    replace: "set cancelling = null,",
    tests: STEPS,
  },
  {
    breaks: "the reconciler leaves marked members",
    file: "src/worker/reconciler.ts",
    find: "await tryPart(() => queuedJobs.cancelMarked())",
    replace: "0",
    tests: ["worker/reconciler.test"],
  },
  {
    breaks: "every hint of a chain goes through Redis",
    file: "src/app/create-core.ts",
    find: "hints: takeHint ? takingOwn(hints, takeHint, tracer) : hints,",
    replace: "hints,",
    tests: ["app/create-worker.test"],
  },
  {
    breaks: "own hints fill a lane, so that the hints of others wait",
    file: "src/worker/task-lane.ts",
    find: "this.#room > 0 && this.#own + 1 < this.#options.concurrency",
    replace: "true",
    tests: ["task-worker/own-hints.test"],
  },
];
