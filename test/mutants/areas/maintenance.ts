import type { Mutant } from "../mutant.js";

const PURGE = ["maintenance/purge.test", "maintenance/purge-events.test"];
const RECOUNT = ["maintenance/recount.test"];
const SWEEP = ["maintenance/sweep-files.test"];
const OWNER = ["services/maintenance/sweep-files/storage-owner.test"];
const LOST = ["maintenance/lost-files.test"];
const SCHEDULE = ["worker/schedule.test"];
const DUTIES = ["services/maintenance/duties.test"];
const PREVIEWS = ["services/photos/preview-maker.test"];
const MIGRATE = ["db/migrate.test"];

const EVENTS = "src/services/maintenance/purge-events.ts";
const SWEEP_FILE = "src/services/maintenance/sweep-files.ts";

/**
 * Recurring work of the workers: it ends, keeps up, is not stopped by a bad row, and is monitored.
 */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a purge continues while events expire",
    file: EVENTS,
    find: "where f.at < ${cutOff}::timestamptz and (b.seq",
    replace: "where f.at < ${cutOff}::timestamptz + interval '10 seconds' and (b.seq",
    tests: PURGE,
  },
  {
    breaks: "a purge ends only when nothing is left",
    file: "src/services/maintenance/purge.ts",
    find: "performance.now() >= deadline || ",
    replace: "",
    tests: PURGE,
  },
  {
    breaks: "a purge waits for a locked counter at first",
    file: EVENTS,
    find: "${wait ? sql`` : sql`skip locked`}",
    replace: "",
    tests: PURGE,
  },
  {
    breaks: "a purge never waits for a counter that is always locked",
    file: EVENTS,
    find: "const MAX_MISSES = 3;",
    replace: "const MAX_MISSES = Infinity;",
    tests: PURGE,
  },
  {
    breaks: "a user whose counter was locked must wait for the next run",
    file: EVENTS,
    find: "if (!wait) for (const id of userIds)",
    replace: "if (wait) for (const id of userIds)",
    tests: PURGE,
  },
  {
    breaks: "a purge leaves the rest of a full batch",
    file: EVENTS,
    find: "if (more) due.add(userId);",
    replace: "",
    tests: PURGE,
  },
  {
    breaks: "events are left below the floor",
    file: EVENTS,
    find: "(b.seq is null or f.seq < b.seq)",
    replace: "(b.seq is null or f.seq <> b.seq)",
    tests: PURGE,
  },
  {
    breaks: "purged events keep their recorded bytes",
    file: EVENTS,
    find: "recorded_bytes = t.recorded_bytes - g.bytes",
    replace: "recorded_bytes = t.recorded_bytes",
    tests: PURGE,
  },
  {
    breaks: "one user's faulty row stops the purge of events",
    file: EVENTS,
    find: "if (isAway(error)) throw error;",
    replace: "throw error;",
    tests: PURGE,
  },
  {
    breaks: "a purge reads all current events of all users",
    file: EVENTS,
    find: "seq > s.floor_seq order by seq limit 1)",
    replace: "seq > s.floor_seq order by seq limit 1000)",
    tests: PURGE,
  },
  {
    breaks: "a purge starts with events only after QueuedJobs",
    file: "src/services/maintenance/purge.ts",
    find: "drain(events.steps(cutOff), until)] as const",
    replace: "Promise.all(lanes).then(() => drain(events.steps(cutOff), until))] as const",
    tests: PURGE,
  },
  {
    breaks: "a purge with one failed part counts as a success",
    file: "src/services/maintenance/purge.ts",
    find: "if (fault !== undefined) throw fault;",
    replace: "",
    tests: PURGE,
  },
  {
    breaks: "a cursor with a dropped partition behind it is resumed",
    file: "src/services/maintenance/event-retirement.ts",
    find: "await walkUsers(sql, partition, (page) => raiseFloors(sql, page));",
    replace: "",
    tests: ["maintenance/event-retirement.test"],
  },
  {
    breaks: "each statement of a recount uses another snapshot",
    file: "src/services/maintenance/recount.ts",
    find: "isolation level repeatable read, read only",
    replace: "isolation level read committed, read only",
    tests: RECOUNT,
  },
  {
    breaks: "a recount counts only the first thousand",
    file: "src/services/maintenance/recount.ts",
    find: "row?.count === ROWS_PER_USER ? row.last : null",
    replace: "null",
    tests: RECOUNT,
  },
  {
    breaks: "recorded bytes are not recounted",
    file: "src/services/maintenance/recount.ts",
    find: "recorded_bytes = recorded_bytes + ${recordedBytes}",
    replace: "recorded_bytes = recorded_bytes + 0 * ${recordedBytes}::bigint",
    tests: RECOUNT,
  },
  {
    breaks: "one user's faulty row stops the recount",
    file: "src/services/maintenance/recount.ts",
    find:
      'log.error({ err: error, userId, ...off }, "the counters of a user could not be ' +
      'corrected");',
    replace: "throw error;",
    tests: RECOUNT,
  },

  {
    breaks: "the files of another database are swept",
    file: SWEEP_FILE,
    find: "if (await owner.isOurs()) return;",
    replace: "return;",
    tests: SWEEP,
  },
  {
    breaks: "the owner is not checked again before files are removed",
    file: SWEEP_FILE,
    find: "await assertOurs(); const keys",
    replace: "const keys",
    tests: SWEEP,
  },
  {
    breaks: "most of a storage is swept at once",
    file: SWEEP_FILE,
    find: "if (count <= Math.max(MIN_REFUSED, listed * maxShare)) return;",
    replace: "return;",
    tests: SWEEP,
  },
  {
    breaks: "a few files count as too many",
    file: SWEEP_FILE,
    find: "const MIN_REFUSED = 100;",
    replace: "const MIN_REFUSED = 1;",
    tests: SWEEP,
  },
  {
    breaks: "files of other software are swept",
    file: SWEEP_FILE,
    find: "if (!OURS.test(key)) continue;",
    replace: "",
    tests: SWEEP,
  },
  {
    breaks: "two databases both own a storage",
    file: "src/services/maintenance/sweep-files.ts",
    find: "return (await readOwner()) === history;",
    replace: "return true;",
    tests: SWEEP,
  },
  {
    breaks: "any database that asks owns the storage",
    file: "src/services/maintenance/sweep-files.ts",
    find: "if (owner !== null) return owner === history;",
    replace: "",
    tests: OWNER,
  },

  {
    breaks: "lost files are searched from the start each time",
    file: "src/services/maintenance/lost-files.ts",
    find: "let [kind, after] = parsePosition(from);",
    replace: "let [kind, after] = parsePosition(from && null);",
    tests: LOST,
  },
  {
    breaks: "one file that cannot be checked stops the search",
    file: "src/services/maintenance/lost-files.ts",
    find: "faults.length > 0 && faults.length === keys.length",
    replace: "faults.length > 0",
    tests: LOST,
  },

  {
    breaks: "two workers run an exclusive task",
    file: "src/services/maintenance/duties.ts",
    find: "if (!(await duties.hold(name, holder, seconds))) return null;",
    replace: "await duties.hold(name, holder, seconds);",
    tests: SCHEDULE,
  },
  {
    breaks: "a duty lapses during a long task",
    file: "src/services/maintenance/duties.ts",
    find: "const timer = setInterval(() => void renew(), (seconds * 1000) / 5);",
    replace: "const timer = setInterval(() => {}, (seconds * 1000) / 5);",
    tests: DUTIES,
  },
  {
    breaks: "a task continues after its duty was lost",
    file: "src/services/maintenance/duties.ts",
    find: "if (held === false || ",
    replace: "if (",
    tests: DUTIES,
  },
  {
    breaks: "a task continues after its duty may have lapsed",
    file: "src/services/maintenance/duties.ts",
    find: "held === false || performance.now() - renewedAt > (seconds * 1000 * 2) / 3",
    replace: "held === false",
    tests: DUTIES,
  },
  {
    breaks: "a task's failure is not logged",
    file: "src/worker/schedule.ts",
    find: "if (error instanceof ServiceUnavailableError && misses <= QUIET_MISSES) return;",
    replace: "if (misses > 0) return;",
    tests: SCHEDULE,
  },
  {
    breaks: "a store that stays unavailable is never logged",
    file: "src/worker/schedule.ts",
    find: " && misses <= QUIET_MISSES",
    replace: "",
    tests: SCHEDULE,
  },
  {
    breaks: "a late task is not logged",
    file: "src/worker/schedule.ts",
    find: "else if (Date.now() - succeededAt > lateAfterMs) logLate",
    replace: "else if (Date.now() < 0) logLate",
    tests: SCHEDULE,
  },
  {
    breaks: "each slice starts at the beginning",
    file: "src/worker/schedule.ts",
    find: "task.run({ from, signal })",
    replace: "task.run({ from: null, signal })",
    tests: SCHEDULE,
  },
  {
    breaks: "a pass starts again at once",
    file: "src/worker/schedule.ts",
    find: "Date.now() - passStartedAt < passMs",
    replace: "passMs < 0",
    tests: SCHEDULE,
  },

  {
    breaks: "one photo stops all previews",
    file: "src/services/photos/preview-maker.ts",
    find: "if (!wasPutOff(error)) throw error;",
    replace: "throw error;",
    tests: PREVIEWS,
  },
  {
    breaks: "a photo that the storage cannot deliver is tried without end",
    file: "src/services/photos/preview-maker.ts",
    find: "if (isAway || closed) await",
    replace: "if (photo) await",
    tests: PREVIEWS,
  },

  {
    breaks: "a migration makes all other statements wait",
    file: "src/db/migrate.ts",
    find: "${String(lockTimeoutMs)}",
    replace: "${String(300 * lockTimeoutMs)}",
    tests: MIGRATE,
  },
  {
    breaks: "a migration gives up at the first lock",
    file: "src/db/migrate.ts",
    find: 'const LOCKED = new Set(["55P03", "40P01"]);',
    replace: "const LOCKED = new Set();",
    tests: MIGRATE,
  },
];
