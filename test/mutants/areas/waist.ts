import type { Mutant } from "../mutant.js";

const ATTEMPT = ["queued-jobs/attempt.test"];
const ATTEMPT_LEASES = ["attempt-leases.test"];
const BATCHES = ["attempt-batches.test"];
const STEPS = ["owner-steps.test"];
const INSERT = ["insert-units.test"];
const MANY = ["transition-many.test"];
const KEYS = ["enqueue-keys.test"];
const DUE = ["queued-jobs/due.test"];
const REUSE = ["queued-jobs/reuse.test"];
const BATCH = ["micro-batch.test"];
const EXECUTE = ["worker/execute-task.test"];
const LEASES = ["worker/leases.test"];
const TAKE_OVER = ["queued-jobs/take-over.test"];
const RECONCILER = ["worker/reconciler.test"];
const HINTS = ["queue/hint-queue.test"];

/** The only writer of a QueuedJob's status, and what brings work to it: batches, hints, workers, the reconciler. */
export const MUTANTS: Mutant[] = [
  { core: true, breaks: "what runs is claimed once more", file: "src/queued-job-status.ts", find: 'claim: { from: ["PENDING"],', replace: 'claim: { from: ["PENDING", "STARTED"],', tests: ATTEMPT },
  { core: true, breaks: "an attempt that is over writes its end", file: "src/services/queued-jobs/attempt.ts", find: "id = ${id} and attempts = ${attempt}", replace: "id = ${id}", tests: ATTEMPT },
  { core: true, breaks: "an attempt that is over writes its end in a batch", file: "src/services/queued-jobs/attempt.ts", find: "where: sql`attempts = i.item_attempt`,", replace: "", tests: BATCHES },
  { breaks: "an attempt that is over writes its progress", file: "src/services/queued-jobs/attempt.ts", find: "id = i.item_id and attempts = i.item_attempt and status = 'STARTED'", replace: "id = i.item_id and status = 'STARTED'", tests: ATTEMPT },
  { breaks: "progress is written when it has finished", file: "src/services/queued-jobs/attempt.ts", find: "id = i.item_id and attempts = i.item_attempt and status = 'STARTED'", replace: "id = i.item_id and attempts = i.item_attempt", tests: ATTEMPT },
  { breaks: "progress falls", file: "src/services/queued-jobs/attempt.ts", find: "greatest(progress, l.item_progress)", replace: "l.item_progress", tests: ATTEMPT },
  { breaks: "progress goes on from the attempt before", file: "src/services/queued-jobs/attempt.ts", find: "progress = 0, progress_message = null, started_at", replace: "started_at", tests: ATTEMPT },
  { core: true, breaks: "a hint of an old run claims", file: "src/services/queued-jobs/attempt.ts", find: "run = ${run} and due_at", replace: "${run}::int is not null and due_at", tests: ATTEMPT },
  { breaks: "it is claimed before it is due", file: "src/services/queued-jobs/attempt.ts", find: " and due_at <= clock_timestamp()", replace: "", tests: ATTEMPT },
  { breaks: "a worker claims what it has no task for", file: "src/services/queued-jobs/attempt.ts", find: " and job_name = any(${jobs})", replace: "", tests: BATCHES },
  { breaks: "what is handed back counts as failed", file: "src/services/queued-jobs/attempt.ts", find: "set: sql`, run = run + 1, lease_until = null, due_at", replace: "set: sql`, run = run + 1, failures = failures + 1, lease_until = null, due_at", tests: ATTEMPT },
  { breaks: "what finishes is kept for ever", file: "src/services/queued-jobs/statements.ts", find: ", expires_at = now() + ${ttlSeconds} * interval '1 second'`", replace: "`", tests: ATTEMPT },
  { breaks: "it may kill a third worker", file: "src/services/queued-jobs/attempt.ts", find: "const MAX_STALLS = 2;", replace: "const MAX_STALLS = 3;", tests: ATTEMPT_LEASES },
  { core: true, breaks: "a lease that was renewed meanwhile is taken over", file: "src/services/queued-jobs/attempt.ts", find: "${fence(sql, { id, attempt })} and lease_until < clock_timestamp()", replace: "${fence(sql, { id, attempt })}", tests: ATTEMPT_LEASES },
  { breaks: "the lease of an older attempt is renewed", file: "src/services/queued-jobs/attempt.ts", find: " and q.attempts = a.attempt", replace: "", tests: ATTEMPT_LEASES },
  { breaks: "another worker's lease is renewed", file: "src/services/queued-jobs/attempt.ts", find: " and q.worker = ${worker} order", replace: " and ${worker}::text is not null order", tests: ATTEMPT_LEASES },
  { breaks: "deaths count on when it is sent again", file: "src/services/queued-jobs/owner-steps.ts", find: "failures = 0, stalls = 0,", replace: "failures = 0,", tests: ATTEMPT_LEASES },
  { core: true, breaks: "a step is made from whatever status", file: "src/services/queued-jobs/statements.ts", find: "where status = any(${[...from]}) and", replace: "where ${[...from]}::text[] is not null and", tests: STEPS },
  { core: true, breaks: "steps of many are made from whatever status", file: "src/services/queued-jobs/transition-many.ts", find: "and status = any(${[...from]})", replace: "and ${[...from]}::text[] is not null", tests: BATCHES },
  { breaks: "steps of many lock their rows in no common order", file: "src/services/queued-jobs/transition-many.ts", find: "order by item_id)", replace: "order by item_id desc)", tests: MANY },
  { breaks: "steps of many lock counters in no common order", file: "src/services/queued-jobs/transition-many.ts", find: "order by user_id)", replace: "order by user_id desc)", tests: MANY },
  { breaks: "what is submitted together locks counters in no common order", file: "src/services/queued-jobs/insert-units.ts", find: "order by user_id for no key update", replace: "order by user_id desc for no key update", tests: INSERT },
  { breaks: "a unit without room fails those beside it", file: "src/services/queued-jobs/insert-units.ts", find: "where u.pending + w.upto <= ${maxPending}),", replace: "),", tests: INSERT },
  { breaks: "the room for a unit is that of each alone", file: "src/services/queued-jobs/insert-units.ts", find: 'partition by "userId" order by unit)', replace: 'partition by "userId", unit)', tests: INSERT },
  { breaks: "room that went meanwhile is taken all the same", file: "src/services/queued-jobs/insert-units.ts", find: " and u.pending + n.n <= ${maxPending}", replace: "", tests: INSERT },
  { core: true, breaks: "what is sent again with its key is another QueuedJob", file: "src/services/queued-jobs/insert-one.ts", find: "${item.idempotencyKey}, ${item.fingerprint}", replace: "null, null", tests: KEYS },
  { breaks: "room that went meanwhile is taken by one alone", file: "src/services/queued-jobs/insert-one.ts", find: "and u.pending < ${maxPending} returning", replace: "returning", tests: ["insert-one.test"] },
  { breaks: "what has its key from another is left out, and nobody tells", file: "src/services/queued-jobs/insert-one.ts", find: "when t.id is null then refuse(${ALREADY_THERE}) when", replace: "when", tests: ["insert-one.test"] },
  { breaks: "what is sent again with its key beside others is another QueuedJob", file: "src/services/queued-jobs/insert-units.ts", find: 'greatest("runAt", now()), "idempotencyKey", fingerprint', replace: 'greatest("runAt", now()), null, null', tests: KEYS },
  { core: true, breaks: "a key is taken with other arguments", file: "src/services/queued-jobs/enqueue.ts", find: "if ((fingerprints.get(key) ?? fingerprint) !== fingerprint)", replace: "if (false)", tests: KEYS },
  { breaks: "keys that others take at the same moment are an error", file: "src/services/queued-jobs/enqueue.ts", find: "if (state === ALREADY_THERE || violatedConstraint", replace: "if (violatedConstraint", tests: KEYS },
  { breaks: "a photo that is deleted at the same moment is an error", file: "src/services/queued-jobs/enqueue.ts", find: ' || violatedConstraint(error) === "queued_job_photos_photo"', replace: "", tests: ["queued-jobs/enqueue.test"] },
  { core: true, breaks: "what is recorded is not told", file: "src/services/queued-jobs/recorder.ts", find: "tell(made, TRANSITIONS[name].event);", replace: "", tests: ATTEMPT },
  { breaks: "what is accepted is not told", file: "src/services/queued-jobs/unit-inserter.ts", find: "if (steps.length > 0) recorded(steps);", replace: "", tests: ["unit-inserter.test"] },
  { breaks: "a unit that was left out is not tried alone", file: "src/services/queued-jobs/unit-inserter.ts", find: "(await together(unit)) ?? sendOne(unit)", replace: "await together(unit)", tests: ["unit-inserter.test"] },
  { breaks: "outputs pass the quota", file: "src/services/queued-jobs/statements.ts", find: "sql`and u.stored_bytes + ${parts.outputs.bytes} <= ${parts.outputs.maxStoredBytes}`", replace: "sql``", tests: ["output-quota.test"] },
  { breaks: "it is sent again without its photos", file: "src/services/queued-jobs/owner-steps.ts", find: "needsPhotos: true,", replace: "", tests: STEPS },
  { breaks: "a photo goes while it is sent again", file: "src/services/queued-jobs/statements.ts", find: " for key share of x", replace: "", tests: STEPS },
  { breaks: "another version than was read is deleted", file: "src/services/queued-jobs/owner-steps.ts", find: "and version = ${version} and", replace: "and ${version}::int is not null and", tests: STEPS },
  { breaks: "an unfinished one is deleted", file: "src/services/queued-jobs/owner-steps.ts", find: "and status = any(${[...FINISHED_STATUSES]}) returning", replace: "and ${[...FINISHED_STATUSES]}::text[] is not null returning", tests: STEPS },
  { breaks: "who runs what is cancelled is not told to stop", file: "src/services/queued-jobs/hinter.ts", find: "if (queuedJob.attempts > 0) stopBell.ring(queuedJob.id);", replace: "", tests: STEPS },
  { breaks: "the result of other parameters is reused", file: "src/services/queued-jobs/reuse.ts", find: "${version}::int, queued_jobs.parameters, (", replace: "${version}::int, (", tests: REUSE },
  { breaks: "the result of photos in another order is reused", file: "src/services/queued-jobs/reuse.ts", find: "order by l.position)", replace: "order by l.photo_id)", tests: REUSE },
  { breaks: "the result of another version of the task is reused", file: "src/services/queued-jobs/reuse.ts", find: "${version}::int, queued_jobs", replace: "(${version}::int * 0), queued_jobs", tests: REUSE },
  { breaks: "another user's result is reused", file: "src/services/queued-jobs/reuse.ts", find: "e.user_id = queued_jobs.user_id and ", replace: "", tests: REUSE },
  { breaks: "a result is reused where it is to be done afresh", file: "src/services/queued-jobs/reuse.ts", find: " and not queued_jobs.fresh", replace: "", tests: REUSE },
  { breaks: "a hint on its way is taken for lost", file: "src/services/queued-jobs/hinter.ts", find: "if (sweep.patient && !row.settled) continue;", replace: "", tests: DUE },
  { breaks: "one owner's lost hints come before all of another's", file: "src/services/queued-jobs/due-sweep.ts", find: "this.#passed.set(userId, passed);", replace: "", tests: DUE },
  { breaks: "a lost hint of a high priority stands behind its owner's others", file: "src/services/queued-jobs/due-sweep.ts", find: "if (other >= priority) backlog", replace: "backlog", tests: DUE },
  { breaks: "the sweep looks at its first page only", file: "src/services/queued-jobs/due-sweep.ts", find: "this.#ended = rows.length < limit;", replace: "this.#ended = true;", tests: DUE },
  { breaks: "the sweep skips rows that are due in the same moment", file: "src/services/queued-jobs/due-sweep.ts", find: "(due_at, id) > (${after.dueAt}::timestamptz, ${after.id}::uuid)", replace: "due_at > ${after.dueAt}::timestamptz and id <> ${after.id}::uuid", tests: DUE },
  { breaks: "rows of a removed Job cost a hint each in every sweep", file: "src/services/queued-jobs/due-sweep.ts", find: "return count < MAX_UNKNOWN;", replace: "return count >= 0;", tests: DUE },
  { breaks: "the reconciler reads all that is due next year", file: "src/services/queued-jobs/due-sweep.ts", find: "and due_at < now() +", replace: "and due_at < clock_timestamp() +", tests: ["db/schema/indexes.test"] },
  { breaks: "one attempt that cannot be taken over stops the others", file: "src/services/queued-jobs/take-over.ts", find: "if (isAway) failures.push(error);", replace: "if (!isAway) throw error;\n      if (isAway) failures.push(error);", tests: TAKE_OVER },
  { breaks: "an attempt that cannot be taken over stands before others", file: "src/services/queued-jobs/take-over.ts", find: "else leftOut.add(lapsed.id);", replace: "", tests: TAKE_OVER },
  { breaks: "each attempt waits for PostgreSQL to be back", file: "src/services/queued-jobs/take-over.ts", find: "if (failures.length >= MAX_UNAVAILABLE)", replace: "if (failures.length > limit)", tests: TAKE_OVER },
  { breaks: "a batch that failed harms the good ones in it", file: "src/micro-batch.ts", find: "if (error instanceof ServiceUnavailableError) return", replace: "return", tests: BATCH },
  { core: true, breaks: "a batch that may have arrived is sent again", file: "src/micro-batch.ts", find: "if (error instanceof ServiceUnavailableError) return batch.forEach(({ reject }) => reject(error));", replace: "void ServiceUnavailableError;", tests: BATCH },
  { breaks: "a batch holds the same key twice", file: "src/micro-batch.ts", find: " && !keys.has(key)", replace: "", tests: BATCH },
  { breaks: "a batch has no bound", file: "src/micro-batch.ts", find: "batch.length < options.maxItems && ", replace: "", tests: BATCH },
  { breaks: "what comes while a batch is under way overtakes it", file: "src/micro-batch.ts", find: "if (!lane.busy) {", replace: "{", tests: BATCH },
  { breaks: "an attempt fails because the storage is away", file: "src/worker/execute-task.ts", find: "if (closing || error instanceof ServiceUnavailableError)", replace: "if (closing)", tests: EXECUTE },
  { breaks: "an attempt fails because its worker ends", file: "src/worker/execute-task.ts", find: "if (closing || error instanceof ServiceUnavailableError)", replace: "if (error instanceof ServiceUnavailableError)", tests: EXECUTE },
  { core: true, breaks: "an attempt that is lost writes how it ended", file: "src/worker/execute-task.ts", find: 'if (reason === "lost") {', replace: "if (false) {", tests: EXECUTE },
  { breaks: "an outcome is given up while the database is away", file: "src/worker/execute-task.ts", find: "if (!(error instanceof ServiceUnavailableError) || lost) throw error;", replace: "throw error;", tests: EXECUTE },
  { breaks: "files are thrown away that an earlier try recorded", file: "src/worker/execute-task.ts", find: 'if (now?.status === "SUCCESS" && now.attempts === attempt) return "succeeded";', replace: "", tests: EXECUTE },
  { breaks: "one that killed its worker runs in a worker again", file: "src/worker/execute-task.ts", find: 'task.runsIn === "worker" && stalls === 0', replace: 'task.runsIn === "worker"', tests: EXECUTE },
  { breaks: "an attempt goes on behind the end of its lease", file: "src/worker/leases.ts", find: "const GIVE_UP_MS = 20_000;", replace: "const GIVE_UP_MS = 40_000;", tests: LEASES },
  { breaks: "an attempt goes on while its renewal hangs", file: "src/worker/leases.ts", find: "giveUp();\n    if (renewing", replace: "if (renewing", tests: LEASES },
  { breaks: "an attempt whose lease is lost goes on", file: "src/worker/leases.ts", find: 'else entry.stop.abort(new StopError("lost"));', replace: "", tests: LEASES },
  { breaks: "an attempt goes on beside a later one in the same process", file: "src/worker/leases.ts", find: 'held.get(claimed.id)?.stop.abort(new StopError("lost"));', replace: "", tests: LEASES },
  { breaks: "a stop bell is believed", file: "src/worker/leases.ts", find: "if (own) void renew([own.claimed]);", replace: 'own?.stop.abort(new StopError("lost"));', tests: LEASES },
  { breaks: "a task makes progress fall", file: "src/worker/progress-reporter.ts", find: "highest = Math.max(highest, Math.min(Math.max(fraction, 0), 1));", replace: "highest = Math.min(Math.max(fraction, 0), 1);", tests: ["worker/progress-reporter.test"] },
  { breaks: "every worker reconciles", file: "src/worker/reconciler.ts", find: "if (!holding) return;", replace: "", tests: RECONCILER },
  { breaks: "no hint is put back while attempts cannot be taken over", file: "src/worker/reconciler.ts", find: "await tryPart(() => queuedJobs.takeOverLapsed(LAPSED))", replace: "await queuedJobs.takeOverLapsed(LAPSED)", tests: RECONCILER },
  { breaks: "hints that are lost wait for the next beat", file: "src/worker/reconciler.ts", find: "lapsed === LAPSED || (missing > 0 && sweep.underWay)", replace: "lapsed === LAPSED", tests: RECONCILER },
  { breaks: "a sweep goes on after Redis has forgotten", file: "src/worker/reconciler.ts", find: "!sweep.ended && !state.forgotten && !stopped", replace: "!sweep.ended && !stopped", tests: RECONCILER },
  { breaks: "a reconciler that works in vain is not logged", file: "src/worker/reconciler.ts", find: "failures === FAILURES_LOGGED", replace: "failures < 0", tests: RECONCILER },
  { breaks: "the database is closed under a reconciler that works", file: "src/worker/reconciler.ts", find: "sweep.stop();\n      await running;", replace: "sweep.stop();", tests: RECONCILER },
  { core: true, breaks: "hints of this moment stay lost when Redis has forgotten all", file: "src/worker/reconciler.ts", find: "{ patient: false }", replace: "{ patient: true }", tests: RECONCILER },
  { breaks: "that Redis forgot is seen at a beat only", file: "src/worker/reconciler.ts", find: "if (holding && (await hints.hasForgotten())) sweep.forget();", replace: "", tests: RECONCILER },
  { breaks: "hints that are there are added again", file: "src/queue/hint-queue.ts", find: "doubtful.filter((_, i) => found[i] === 0)", replace: "hints.filter(() => found.length >= 0)", tests: HINTS },
  { breaks: "one hint that is lost among a hundred stays lost", file: "src/queue/hint-queue.ts", find: "counts[i] === group.length ? [] : group", replace: "counts[i] ? [] : group", tests: HINTS },
  { breaks: "a Redis that has just started is taken for one that remembers", file: "src/queue/hint-queue.ts", find: 'set === "OK"', replace: 'set === "NO"', tests: HINTS },
  { breaks: "the hint of a later run is taken for that of an earlier one", file: "src/queue/hint-queue.ts", find: "return `${id}.${run}`;", replace: "return `${id}.${run > 0}`;", tests: HINTS },
  { breaks: "hints of next year are kept in Redis", file: "src/queue/hint-queue.ts", find: "hint.delayMs <= MAX_DELAY_MS", replace: "hint.delayMs >= 0", tests: HINTS },
  { breaks: "one's thousands stand before another's first", file: "src/queue/hint-priority.ts", find: "Math.floor(backlog / HINT_BLOCK) * 101", replace: "(backlog > 0 ? 1 : 0)", tests: ["queue/hint-priority.test"] },
];
