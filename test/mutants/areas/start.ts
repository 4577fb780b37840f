import type { Mutant } from "../mutant.js";

const LIFECYCLE = ["lifecycle.test"];
const KEEP = ["embedded/processes/keep-running.test"];
const START = ["bin/start.test"];
const CARRY_OUT = ["services/operators/carry-out.test"];
const OWNER_BULK = ["queued-jobs/bulk/owner-bulk.test"];

const OPERATION_ROWS = "src/services/operators/operation-rows.ts";
const RETRY_ROWS = "src/services/queued-jobs/bulk/retry-rows.ts";
const PAUSES = ["operators/pauses.test"];
const REGISTER = ["operators/worker-register.test"];
const DUE = ["queued-jobs/maintenance/due.test"];

/** Start-up, signals, commands, pages, and the orders of operators, as they and users see them. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "the hint of a paused QueuedJob returns to the queue again and again",
    file: "src/services/queued-jobs/claim.ts",
    find: "and ${hasOwner(sql)} and not ${isPaused(sql)}",
    replace: "and ${hasOwner(sql)}",
    tests: PAUSES,
  },
  {
    breaks: "a page of paused rows ends the sweep before the rows behind it",
    file: "src/services/queued-jobs/maintenance.ts",
    find: "where not paused or place = ${limit}",
    replace: "where not paused",
    tests: DUE,
  },
  {
    breaks: "the hints of resumed rows wait for a later sweep",
    file: "src/services/operators/pauses.ts",
    find: "await deps.hints.reportLost();",
    replace: "",
    tests: PAUSES,
  },
  {
    breaks: "paused work raises the alert for work that waits",
    file: "src/services/reads/backlog.ts",
    find: "where not ${isPaused(sql)} order by due_at",
    replace: "order by due_at",
    tests: ["reads/backlog.test"],
  },
  {
    breaks: "a killed worker is shown as running",
    file: "src/services/operators/worker-register.ts",
    find: "then 'lost' else state end",
    replace: "then state else state end",
    tests: REGISTER,
  },
  {
    breaks: "a lost worker does not show what it ran",
    file: "src/services/operators/worker-register.ts",
    find: "then w.running else '{}' end",
    replace: "then '{}'::uuid[] else '{}' end",
    tests: REGISTER,
  },
  {
    breaks: "a draining worker takes work",
    file: "src/worker/task-worker.ts",
    find: "closing || draining;",
    replace: "closing;",
    tests: ["task-worker/closing.test"],
  },
  {
    breaks: "one Ctrl-C, which arrives from the terminal and from npm, counts as two",
    file: "src/runtime/lifecycle.ts",
    find: "if (performance.now() - last < ONE_SIGNAL_MS) return;",
    replace: "",
    tests: LIFECYCLE,
  },
  {
    breaks: "a second signal leaves open what could be closed",
    file: "src/runtime/lifecycle.ts",
    find: "if (!hurry) process.exit(1);",
    replace: "process.exit(1);",
    tests: LIFECYCLE,
  },
  {
    breaks: "a start that a signal aborts is reported as a fault",
    file: "src/runtime/lifecycle.ts",
    find: "handles it.\n    if (closing.signal.aborted) return;",
    replace: "handles it.",
    tests: LIFECYCLE,
  },
  {
    breaks: "a second signal waits for a process that does not end",
    file: "src/embedded/processes/supervise.ts",
    find: "() => ended || hurried.aborted",
    replace: "() => ended",
    tests: ["embedded/processes/supervise.test"],
  },
  {
    breaks: "a requested stop is reported as an exit by itself",
    file: "src/embedded/processes/keep-running.ts",
    find: "runs = false;\n      if (closing.signal.aborted) return;",
    replace: "runs = false;",
    tests: KEEP,
  },
  {
    breaks: "a requested restart is reported as an exit by itself",
    file: "src/embedded/processes/keep-running.ts",
    find: "wanted = why;",
    replace: "",
    tests: KEEP,
  },
  {
    breaks: "an exit by itself counts as an earlier requested one",
    file: "src/embedded/processes/keep-running.ts",
    find: "wanted = null;\n      runs = true;",
    replace: "runs = true;",
    tests: KEEP,
  },
  {
    breaks: "a lock that is being created counts as abandoned",
    file: "src/embedded/take-lock.ts",
    find: 'if (content === undefined || content.endsWith("\\n") || tries === 20)',
    replace: "",
    tests: ["embedded/take-lock.test"],
  },
  {
    breaks: "a folder without read permission counts as inaccessible",
    file: "src/embedded/postgres/run-user.ts",
    find: "((mode >> shift) & 1) === 0",
    replace: "((mode >> shift) & 3) !== 3",
    tests: ["embedded/postgres/run-user/reachable-path.test"],
  },
  {
    breaks: "the API and the worker get the same port",
    file: "src/bin/start.ts",
    find: "port === workerPort && port !== 0",
    replace: "port < 0",
    tests: START,
  },
  {
    breaks: "a service reports ready while another program answers in its place",
    file: "src/app/local-service/started-service.ts",
    find: "async () => listen() && (",
    replace: "async () => void listen ?? (",
    tests: START,
  },
  {
    breaks: "an occupied port is reported with a stack",
    file: "src/embedded/ports.ts",
    find: 'cause.syscall === "listen"',
    replace: 'cause.syscall === "read"',
    tests: START,
  },
  {
    breaks: "a command runs without a required option",
    file: "src/runtime/command-line.ts",
    find: "if (required && values[name] === undefined)",
    replace: "if (required && values[name] === null)",
    tests: ["command-line.test"],
  },
  {
    breaks: "a mistake in the arguments is reported as a bug",
    file: "src/runtime/command-line.ts",
    find: "throw new ArgumentsError(sentenceOf(error), renderUsage(command));",
    replace: "throw error;",
    tests: ["command-line.test"],
  },
  {
    breaks: "the demo draws no picture",
    file: "src/demo/run-demo.ts",
    find: "if (draw && thumbnail)",
    replace: "if (draw && !thumbnail)",
    tests: ["demo/run-demo.test"],
  },
  {
    breaks: "a click on a photo does nothing",
    file: "src/console/grid/selection.ts",
    find: "[id], !isChosen(chosen, id)",
    replace: "[id], isChosen(chosen, id)",
    tests: ["console/grid/selection.test"],
  },
  {
    breaks: "an answer that arrives late shows old counts of a group",
    file: "src/console/jobs/job-groups.ts",
    find: "if (!current.has(group.id)) store(group);",
    replace: "store(group);",
    tests: ["console/jobs/job-groups.test"],
  },
  {
    breaks: "a step of a recipe does not take the pictures of the step before",
    file: "src/console/submission/operation.ts",
    find: "...(photosFrom.length > 0 &&",
    replace: "...(photosFrom.length < 0 &&",
    tests: ["console/submission/operation.test"],
  },
  {
    breaks: "a contact sheet leaves unreadable photos out without its parameter",
    file: "src/tasks/contact-sheet/run.ts",
    find: "!context.parameters.skipUnreadable ||",
    replace: "",
    tests: ["tasks/contact-sheet.test"],
  },
  {
    breaks: "the navigation of the admin pages marks the wrong page",
    file: "src/server/admin/page.ts",
    find: "name === page.place",
    replace: "name !== page.place",
    tests: ["admin/job-pages.test"],
  },

  {
    breaks: "a stopped operation continues",
    file: OPERATION_ROWS,
    find: "where id = ${id} and state = 'RUNNING' and",
    replace: "where id = ${id} and",
    tests: CARRY_OUT,
  },
  {
    breaks: "a kill between the QueuedJobs of a batch and its position loses their count",
    file: "src/services/queued-jobs/bulk/operator-batch.ts",
    find: "await WRITERS[action](tx, rows, deps)",
    replace: "await WRITERS[action](deps.sql, rows, deps)",
    tests: CARRY_OUT,
  },
  {
    breaks: "an operation retries a job again that failed again while it ran",
    file: OPERATION_ROWS,
    find: "tx`and t.finished_at < ${createdAt}::timestamptz`",
    replace: "tx`and ${createdAt}::timestamptz is not null`",
    tests: CARRY_OUT,
  },
  {
    breaks: "an operation forgets rows that were locked",
    file: OPERATION_ROWS,
    find: "const waiting = [...operation.waiting.slice(revisited.length), ...locked];",
    replace: "const waiting = operation.waiting.slice(revisited.length);",
    tests: CARRY_OUT,
  },
  {
    breaks: "an operation acts on what was submitted after its start",
    file: OPERATION_ROWS,
    find: "upTo: bound",
    replace: "upTo: null",
    tests: CARRY_OUT,
  },
  {
    breaks: "operators act without ADMIN_ACTIONS",
    file: "src/server/admin/actions.ts",
    find: "if (enabled || ",
    replace: "if (!enabled || ",
    tests: ["server/admin/operation-pages.test", "admin/pause-pages.test"],
  },
  {
    breaks: "a bulk retry runs jobs whose photo was deleted in between",
    file: RETRY_ROWS,
    find: "needsPhotos: true,\n    ...(skipLocked",
    replace: "...(skipLocked",
    tests: OWNER_BULK,
  },
  {
    breaks: "a bulk retry changes rows that changed since they were read",
    file: RETRY_ROWS,
    find: "where: sql`version = i.item_version`,",
    replace: "",
    tests: OWNER_BULK,
  },
];
