import type { Mutant } from "../mutant.js";

const ATTEMPT = ["queued-jobs/attempt.test", "queued-jobs/claim.test"];
const ATTEMPT_LEASES = ["attempt-leases.test"];
const BATCHES = ["claim/batches.test"];
const STEPS = ["owner-steps.test"];
const KEYS = ["enqueue-keys.test"];
const DUE = ["maintenance/due.test"];
const EXECUTE = ["worker/execute-task.test"];
const TAKE_OVER = ["maintenance/take-over.test"];
const RECONCILER = ["worker/reconciler.test"];
const RECONCILER_FAULTS = ["reconciler/faults.test"];
const SWEEPS = ["reconciler/sweeps.test"];
const HINTS = ["queue/hint-queue.test"];

/**
 * The only writer of a QueuedJob's status, and the parts that bring work to it: batches, hints,
 * workers and the reconciler.
 */
export const MUTANTS: Mutant[] = [
  {
    core: true,
    breaks: "a running QueuedJob is claimed again",
    file: "src/domain/queued-job-status.ts",
    find: 'claim: { from: ["PENDING"],',
    replace: 'claim: { from: ["PENDING", "STARTED"],',
    tests: ATTEMPT,
  },
  {
    core: true,
    breaks: "an attempt writes its outcome after its end",
    file: "src/services/queued-jobs/claim.ts",
    find: "id = ${id} and attempts = ${attempt}",
    replace: "id = ${id}",
    tests: ATTEMPT,
  },
  {
    core: true,
    breaks: "an attempt writes its outcome in a batch after its end",
    file: "src/services/queued-jobs/success.ts",
    find: "where: sql`attempts = i.item_attempt`,",
    replace: "where: sql`true`,",
    tests: BATCHES,
  },
  {
    core: true,
    breaks: "a hint of an old run claims the row",
    file: "src/services/queued-jobs/claim.ts",
    find: "run = ${run} and due_at",
    replace: "${run}::int is not null and due_at",
    tests: ATTEMPT,
  },
  {
    core: true,
    breaks: "an attempt is taken over although its lease was renewed in the meantime",
    file: "src/services/queued-jobs/attempt.ts",
    find: "${fence(sql, { id, attempt })} and ${hasLapsed(sql)}",
    replace: "${fence(sql, { id, attempt })}",
    tests: ATTEMPT_LEASES,
  },
  {
    core: true,
    breaks: "a step is made from any status",
    file: "src/services/queued-jobs/transition.ts",
    find: "where status = any(${[...from]}) and",
    replace: "where ${[...from]}::text[] is not null and",
    tests: STEPS,
  },
  {
    core: true,
    breaks: "steps of many rows are made from any status",
    file: "src/services/queued-jobs/transition.ts",
    find: "and status = any(${[...from]})",
    replace: "and ${[...from]}::text[] is not null",
    tests: BATCHES,
  },
  {
    core: true,
    breaks: "a repeated key makes another QueuedJob",
    file: "src/services/queued-jobs/insert.ts",
    find: "${item.idempotencyKey}, ${item.fingerprint}",
    replace: "null, null",
    tests: KEYS,
  },
  {
    core: true,
    breaks: "a key is accepted with other arguments",
    file: "src/services/queued-jobs/enqueue.ts",
    find: "if (!sameArguments(fingerprints.get(key) ?? fingerprint, fingerprint))",
    replace: "if (false)",
    tests: KEYS,
  },
  {
    core: true,
    breaks: "recorded events are not published",
    file: "src/services/queued-jobs/commit.ts",
    find: "publish(deps, events);",
    replace: "",
    tests: ATTEMPT,
  },
  {
    breaks: "a restored hint of a high priority goes behind the owner's other hints",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "if (other >= priority) backlog",
    replace: "backlog",
    tests: DUE,
  },
  {
    breaks: "the sweep reads only its first page",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "this.#ended = (last?.place ?? 0) < limit;",
    replace: "this.#ended = true;",
    tests: DUE,
  },
  {
    breaks: "the sweep skips rows that are due at the same moment",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "* interval '1 millisecond'), ${after.id}::uuid)",
    replace:
      "* interval '1 millisecond'), ${after.id}::uuid) and due_at > ${after.dueAt}::timestamptz",
    tests: DUE,
  },
  {
    breaks: "rows of a removed Job cost a hint each in every sweep",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "return count < MAX_UNKNOWN;",
    replace: "return count >= 0;",
    tests: DUE,
  },
  {
    breaks: "the reconciler reads all rows that are due next year",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "and due_at < now() +",
    replace: "and due_at < clock_timestamp() +",
    tests: ["db/schema/queued-jobs/indexes.test"],
  },
  {
    breaks: "one attempt that cannot be taken over stops the others",
    file: "src/services/queued-jobs/maintenance/take-over.ts",
    find: "if (isAway) failures.push(error);",
    replace: "if (!isAway) throw error;\n      if (isAway) failures.push(error);",
    tests: TAKE_OVER,
  },
  {
    breaks: "an attempt that cannot be taken over blocks others",
    file: "src/services/queued-jobs/maintenance/take-over.ts",
    find: "leftOut.add(lapsed.id);",
    replace: "",
    tests: TAKE_OVER,
  },
  {
    breaks: "each attempt waits until PostgreSQL is back",
    file: "src/services/queued-jobs/maintenance/take-over.ts",
    find: "if (failures.length >= MAX_UNAVAILABLE)",
    replace: "if (failures.length > limit)",
    tests: TAKE_OVER,
  },
  {
    core: true,
    breaks: "a lost attempt records its outcome",
    file: "src/worker/settle-attempt.ts",
    find: 'if (reason === "lost") {',
    replace: "if (false) {",
    tests: EXECUTE,
  },
  {
    breaks: "no hint is restored while attempts cannot be taken over",
    file: "src/worker/reconciler.ts",
    find: "await tryPart(() => queuedJobs.takeOverLapsed(MAX_LAPSED))",
    replace: "await queuedJobs.takeOverLapsed(MAX_LAPSED)",
    tests: RECONCILER_FAULTS,
  },
  {
    breaks: "lost hints wait for the next interval",
    file: "src/worker/reconciler.ts",
    find: "lapsed === MAX_LAPSED || (missing > 0 && sweep.underWay)",
    replace: "lapsed === MAX_LAPSED",
    tests: SWEEPS,
  },
  {
    breaks: "the lost hint of a new row is found when the sweep has passed all older rows",
    file: "src/worker/reconciler.ts",
    find: "await tryPart(() => sweep.runRecent())",
    replace: "0",
    tests: SWEEPS,
  },
  {
    breaks: "lost hints of recent rows wait for the next interval",
    file: "src/worker/reconciler.ts",
    find: "if (recent > 0 && sweep.recentUnderWay) return true;",
    replace: "",
    tests: SWEEPS,
  },
  {
    breaks: "each pass checks a large backlog for two seconds",
    file: "src/worker/hint-sweep.ts",
    find: "Math.min(this.#sweepMs, CALM_MS)",
    replace: "this.#sweepMs",
    tests: ["worker/hint-sweep.test"],
  },
  {
    breaks: "a row whose hint cannot be added stops the others",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "if (isFaultOfAll || !row) throw error;",
    replace: "throw error;",
    tests: DUE,
  },
  {
    breaks: "a sweep continues after Redis has lost its data",
    file: "src/worker/hint-sweep.ts",
    find: "!sweep.ended && !this.#isForgotten &&",
    replace: "!sweep.ended &&",
    tests: SWEEPS,
  },
  {
    breaks: "a reconciler that fails repeatedly is not logged",
    file: "src/worker/reconciler.ts",
    find: "failures === FAILURES_LOGGED",
    replace: "failures < 0",
    tests: RECONCILER_FAULTS,
  },
  {
    breaks: "the database is closed while a reconciler uses it",
    file: "src/worker/reconciler.ts",
    find: "sweep.stop();\n      await running;",
    replace: "sweep.stop();",
    tests: RECONCILER,
  },
  {
    core: true,
    breaks: "hints of recent rows stay lost when Redis has lost its data",
    file: "src/worker/hint-sweep.ts",
    find: "{ patient: !this.#isForgotten }",
    replace: "{ patient: true }",
    tests: RECONCILER,
  },
  {
    breaks: "one lost hint among a hundred stays lost",
    file: "src/queue/hint-queue.ts",
    find: "counts[i] === group.length ? [] : group",
    replace: "counts[i] ? [] : group",
    tests: HINTS,
  },
];
