import type { Mutant } from "../mutant.js";

const FOLLOW = ["client/src/transport/follow.test"];
const LIST = ["client/src/live/job-list.test"];
const ROWS = ["client/src/live/job-rows.test"];
const CALLS = ["client/src/photo-service.test"];
const COMMAND = ["client/src/cli/main.test"];

/** The package of `client/`: resuming, repetitions, tokens and versions. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a stream that resumes begins where it first began",
    file: "client/src/transport/follow.ts",
    find: 'variables["after"] = event.cursor;',
    replace: "",
    tests: FOLLOW,
  },
  {
    breaks: "blocked WebSockets are tried without an end",
    file: "client/src/transport/event-socket.ts",
    find: "failures >= MAX_FAILURES",
    replace: "false",
    tests: FOLLOW,
  },
  {
    breaks: "a list with an expired cursor stays as it is",
    file: "client/src/live/job-list.ts",
    find: "if (error instanceof CursorExpiredError) cursor = null;\n        else update",
    replace: "update",
    tests: LIST,
  },
  {
    breaks: "a list reads its first page again when a subscriber comes back",
    file: "client/src/live/job-list.ts",
    find: "cursor ??= await",
    replace: "cursor = await",
    tests: LIST,
  },
  {
    breaks: "an older answer replaces a newer row",
    file: "client/src/live/job-rows.ts",
    find: "stored && !isNewer(row, stored) ? { ...stored, parameters, photos } : row",
    replace: "row",
    tests: ROWS,
  },
  {
    breaks: "an answer that is on its way brings a deleted row back",
    file: "client/src/live/job-rows.ts",
    find: "deleted.add(id);",
    replace: "",
    tests: ROWS,
  },
  {
    breaks: "a submission whose answer is lost happens twice",
    file: "client/src/queued-jobs.ts",
    find: "idempotencyKey = randomKey()",
    replace: "idempotencyKey",
    tests: CALLS,
  },
  {
    breaks: "a refused token is not replaced by a fresh one",
    file: "client/src/transport/token.ts",
    find: "if (second === first) throw error;",
    replace: "throw error;",
    tests: CALLS,
  },
  {
    breaks: "the time to wait is not respected",
    file: "client/src/transport/repeat.ts",
    find: "if (Date.now() + ms > deadline) throw error;",
    replace: "throw error;",
    tests: CALLS,
  },
  {
    breaks: "the token of the local service is sent to another address",
    file: "client/src/cli/find-service.ts",
    find: "local?.url !== undefined && isSameOrigin(local.url, url)",
    replace: "local",
    tests: COMMAND,
  },
];
