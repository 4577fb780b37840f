import type { Mutant } from "../mutant.js";

const ATTEMPT = ["queued-jobs/attempt.test", "queued-jobs/claim.test"];
const ADOPT = ["claim/adopt.test"];
const ATTEMPT_LEASES = ["attempt-leases.test"];
const CLAIM_LEASES = ["claim/leases.test"];
const LEASES_FILE = "src/services/queued-jobs/claim/leases.ts";
const LONE = ["success/lone.test"];
const BATCHES = ["claim/batches.test"];
const LEASES = ["worker/leases.test"];
const CHILD = ["worker/child/run-in-child.test"];
const POOL = ["child-pool/unstartable.test"];
const SHARE = ["user-share.test"];
const WORKER = ["worker/task-worker.test"];
const CLOSING = ["task-worker/closing.test"];
const FAULTS = ["task-worker/faults.test"];
const CLAIM_FILE = "src/services/queued-jobs/claim.ts";
const TASK_WORKER = "src/worker/task-worker.ts";

/**
 * Guards that keep one user, one locked row, one lost answer or one faulty machine from delaying
 * others.
 */
export const MUTANTS: Mutant[] = [
  {
    core: true,
    breaks: "a QueuedJob starts although its Job or its owner is paused",
    file: "src/services/queued-jobs/claim.ts",
    find: "job_name = any(${jobs}) and not ${isPaused(sql)}",
    replace: "job_name = any(${jobs})",
    tests: ["operators/pauses.test"],
  },
  {
    core: true,
    breaks: "the reconciler adds the hints of paused rows",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "if (row.paused || ",
    replace: "if (",
    tests: ["queued-jobs/maintenance/due.test"],
  },
  {
    core: true,
    breaks: "a locked row delays the leases of all",
    file: LEASES_FILE,
    find: "for no key update of q skip locked)",
    replace: "for no key update of q)",
    tests: CLAIM_LEASES,
  },
  {
    core: true,
    breaks: "an attempt that its worker lost stays started as long as the worker lives",
    file: LEASES_FILE,
    find: " and queued_jobs.id = any(l.queued_job_ids))",
    replace: ")",
    tests: CLAIM_LEASES,
  },
  {
    breaks: "a locked row delays the take-over of others",
    file: "src/services/queued-jobs/attempt.ts",
    find: "    for no key update skip locked) and ${briefLocks(sql)}`;",
    replace: "    for no key update)`;",
    tests: ATTEMPT_LEASES,
  },
  {
    breaks: "a locked row fails the claims of the same owner's other rows",
    file: CLAIM_FILE,
    find: "    skipLocked: true,\n",
    replace: "",
    tests: BATCHES,
  },
  {
    breaks: "a single claim waits long for a locked row",
    file: CLAIM_FILE,
    find: "jobs)} and ${briefLocks(sql)}`;",
    replace: "jobs)}`;",
    tests: BATCHES,
  },
  {
    breaks: "a lone success that waits for a locked row holds up all users",
    file: "src/services/queued-jobs/success.ts",
    find: "${brief ? sql`and ${briefLocks(sql)}` : sql``}",
    replace: "",
    tests: LONE,
  },
  {
    core: true,
    breaks: "the hint of a locked row is spent",
    file: CLAIM_FILE,
    find: "return ms === 0 ? LOCKED_MS : ms;",
    replace: "return ms === 0 ? null : ms;",
    tests: BATCHES,
  },
  {
    breaks: "a hint of next week is kept in Redis",
    file: CLAIM_FILE,
    find: "if (ms === null || ms > MAX_DELAY_MS) return null;",
    replace: "if (ms === null) return null;",
    tests: ATTEMPT,
  },
  {
    breaks: "the claim of another worker is adopted",
    file: CLAIM_FILE,
    find: "and worker = ${worker} and status = 'STARTED'",
    replace: "and ${worker}::text is not null and status = 'STARTED'",
    tests: ADOPT,
  },
  {
    breaks: "an adopted claim keeps the rest of its old lease",
    file: CLAIM_FILE,
    find: "update queued_jobs set ${rowLease(sql)}\n      where id = ${id}",
    replace: "update queued_jobs set lease_until = lease_until\n      where id = ${id}",
    tests: ADOPT,
  },
  {
    core: true,
    breaks: "a locked counter delays the claims of all",
    file: "src/services/queued-jobs/transition.ts",
    find: "${parts.brief ? sql`where ${briefLocks(sql)}` : sql``}",
    replace: "",
    tests: BATCHES,
  },
  {
    breaks: "a cancellation during a renewal is noticed at the next interval",
    file: "src/worker/leases.ts",
    find: "this.#again = this.#renewing;",
    replace: "",
    tests: LEASES,
  },
  {
    breaks: "a lease counts from the answer to its claim",
    file: "src/worker/leases.ts",
    find: "leasedAt + GIVE_UP_MS - performance.now()",
    replace: "leasedAt - leasedAt + GIVE_UP_MS",
    tests: LEASES,
  },
  {
    breaks: "the first attempts of a worker that dies at once wait for minutes",
    file: "src/worker/leases.ts",
    find: "if (!this.#hasLease) void this.#renewAll();",
    replace: "",
    tests: LEASES,
  },
  {
    core: true,
    breaks: "one user takes all slots of a worker",
    file: "src/worker/user-share.ts",
    find: "if (this.#hasRoom(user)) {",
    replace: "{",
    tests: SHARE,
  },
  {
    breaks: "a task that waits for slow tasks holds a slot that others need",
    file: "src/worker/user-share.ts",
    find: "return isQuick(user) || isNew(user) ? this.#park(user) : refuse(user);",
    replace: "return this.#park(user);",
    tests: SHARE,
  },
  {
    breaks: "a refused backlog returns all at once",
    file: "src/worker/user-share.ts",
    find: "Math.max(now + REFUSED_MS, user.backAt + REFUSED_APART_MS)",
    replace: "now + REFUSED_MS",
    tests: SHARE,
  },
  {
    breaks: "slow tasks of one user hold all slots except the reserve",
    file: "src/worker/user-share.ts",
    find: "? this.#max : this.#half",
    replace: "? this.#max : this.#max",
    tests: SHARE,
  },
  {
    breaks: "a user who mixes quick and slow tasks holds nearly all slots beside other users",
    file: "src/worker/user-share.ts",
    find: "isQuick(user) && this.#isAlone(user) ?",
    replace: "isQuick(user) ?",
    tests: SHARE,
  },
  {
    breaks: "a slow task counts as a quick one",
    file: "src/worker/user-share.ts",
    find: "if (now - startedAt < QUICK_MS) user.quickAt = now;",
    replace: "user.quickAt = now;",
    tests: SHARE,
  },
  {
    breaks: "a waiting task keeps waiting after another task of its user has ended",
    file: "src/worker/user-share.ts",
    find: "if (this.#hasRoom(user)) parked.settle(this.#occupy(user));",
    replace: "",
    tests: SHARE,
  },
  {
    breaks: "a task that waited for another task of its user keeps its slot",
    file: "src/worker/user-share.ts",
    find: "timer: setTimeout(() => parked.settle(refuse(user)), this.#parkMs),",
    replace: "timer: setTimeout(() => {}, this.#parkMs),",
    tests: SHARE,
  },
  {
    breaks: "a delayed hint is spent",
    file: "src/worker/task-lane.ts",
    find: "await this.#putBack(bullJob, token, delayMs);\n    throw new DelayedError();",
    replace: "",
    tests: WORKER,
  },
  {
    breaks: "a worker that closes spends hints that it could not claim",
    file: TASK_WORKER,
    find: "    }\n    return 0;",
    replace: "    }\n    return null;",
    tests: CLOSING,
  },
  {
    core: true,
    breaks: "a claim is lost when its answer is lost",
    file: TASK_WORKER,
    find: "isRepeat = true;",
    replace: "",
    tests: FAULTS,
  },
  {
    core: true,
    breaks: "a photo fails because its child could not be started",
    file: "src/child-pool/warm-child.ts",
    find: "this.#wasReady ? exit : unstartable()",
    replace: 'exit.reason !== "closed" ? exit : unstartable()',
    tests: POOL,
  },
  {
    core: true,
    breaks: "a child names a file of another QueuedJob as its output",
    file: "src/worker/child/task-child-response.ts",
    find: "name: z.string().regex(PLAIN_NAME),",
    replace: "name: z.string(),",
    tests: CHILD,
  },
  {
    breaks: "a long attempt whose last worker died holds up photos",
    file: "src/worker/execute-task.ts",
    find: 'task.runsIn === "worker" ? { ...deps, pool: deps.suspects } : deps',
    replace: "deps",
    tests: ["worker/execute-task.test"],
  },
  {
    breaks: "the children of suspects stay after their attempt",
    file: "src/child-pool/child-pool.ts",
    find: "if (keepsWarm && mayStart(self)) start(self);",
    replace: "if (mayStart(self)) start(self);",
    tests: ["child-pool/child-pool.test"],
  },
  {
    breaks: "hints fill Redis, which then hands out none",
    file: "src/queue/hint-queue.ts",
    find: "if (memory.isNearlyFull) return log",
    replace: "if (near.length < 0) return log",
    tests: ["queue/redis-memory.test"],
  },
];
