import type { Mutant } from "../mutant.js";

const FLOOD = [
  "server/access/rate-limits.test",
  "auth/verified-tokens.test",
  "server/access/authenticator/flood.test",
];
const ADMISSION = [
  "server/access/connection-admission.test",
  "server/graphql/websocket/graphql-sockets",
];
const SOCKETS = ["server/graphql/websocket/graphql-sockets/places.test", "security/sockets.test"];
const FOLLOW = ["client/src/transport/follow.test"];
const LIST = ["client/src/live/job-list.test"];
const ROWS = ["client/src/live/job-rows.test"];
const EXECUTE = ["client/src/execute.test"];
const CALLS = ["client/src/photo-service.test"];
const COMMAND = ["client/src/cli/main.test"];

/** The package of `client/`, at the other end: resuming, repetitions, tokens and versions. */
const CLIENT_MUTANTS: Mutant[] = [
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
    breaks: "a user with too many connections does not see the reason",
    file: "client/src/transport/event-socket.ts",
    find: ', 4429: "QUOTA_EXCEEDED"',
    replace: "",
    tests: CALLS,
  },
  {
    breaks: "every client reconnects to a restarting service at once",
    file: "client/src/transport/repeat.ts",
    find: "FIRST_WAIT_MS * 2 ** failures",
    replace: "0",
    tests: ["client/src/transport/repeat.test"],
  },
  {
    breaks: "a list with an expired cursor stays as it is",
    file: "client/src/live/job-list.ts",
    find: "if (error instanceof CursorExpiredError) cursor = null;\n        else update",
    replace: "update",
    tests: LIST,
  },
  {
    breaks: "a list with a refused token keeps trying",
    file: "client/src/live/job-list.ts",
    find: "return error instanceof CursorExpiredError || parts.events.isWorthWaiting(error);",
    replace: "return true;",
    tests: FOLLOW,
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
    breaks: "mutations of other GraphQL clients are repeated",
    file: "client/src/execute.ts",
    find: '...(kind === "mutation" && ONCE)',
    replace: "",
    tests: EXECUTE,
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

/** Limits on the rate of requests and on the number of sockets. */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a client that invents origins fills the log and the memory",
    file: "src/server/http/secure-answers.ts",
    find: "logged.size >= MAX_LOGGED || ",
    replace: "",
    tests: ["server/http/secure-answers/origins.test"],
  },
  {
    breaks: "counts are kept after their minute",
    file: "src/server/access/rate-limits.ts",
    find: "this.#minute = newMinute(time);\n    return",
    replace: "this.#minute = Object.assign(newMinute(time), { before: this.#minute });\n    return",
    tests: ["server/access/rate-limits/minute-counts.test"],
  },
  {
    breaks: "every token of a flood is verified",
    file: "src/server/access/rate-limits.ts",
    find: "if (count > VERIFICATIONS_PER_SECOND)",
    replace: "if (count > 1e9)",
    tests: FLOOD,
  },
  {
    breaks: "no token of a flooded network is verified",
    file: "src/server/access/rate-limits.ts",
    find: "const VERIFICATIONS_PER_SECOND = 20;",
    replace: "const VERIFICATIONS_PER_SECOND = 0;",
    tests: FLOOD,
  },
  {
    breaks: "a flood blocks users who are signed in",
    file: "src/auth/verified-tokens.ts",
    find: "return remaining > 0;",
    replace: "return remaining > 1e9;",
    tests: FLOOD,
  },
  {
    breaks: "all forged tokens that name a signed-in user are verified",
    file: "src/auth/verified-tokens.ts",
    find: "if (remaining > 0) subjects.set(subject, remaining - 1);",
    replace: "",
    tests: FLOOD,
  },
  {
    breaks: "unknown keys are not counted while the key server is unavailable",
    file: "src/server/access/authenticator.ts",
    find: " || error instanceof ServiceUnavailableError",
    replace: "",
    tests: FLOOD,
  },
  {
    breaks: "a 503 does not say when to retry",
    file: "src/server/http/errors.ts",
    find: "if (error instanceof ServiceUnavailableError) return",
    replace: "if (error === ServiceUnavailableError) return",
    tests: ["server/files/signed-files.test", "server/graphql/http/graphql-endpoint/audits.test"],
  },
  {
    breaks: "one network holds all places while others wait",
    file: "src/server/access/connection-admission.ts",
    find: "if (!oldest || !needy) return;",
    replace: "if (!oldest || !needy || most > 0) return;",
    tests: ADMISSION,
  },
  {
    breaks: "an idle socket keeps its place while others wait",
    file: "src/server/access/connection-admission.ts",
    find: "since <= now - IDLE_MS",
    replace: "since <= now - 1000 * IDLE_MS",
    tests: ADMISSION,
  },
  {
    breaks: "a socket that signs in counts as idle",
    file: "src/server/access/connection-admission.ts",
    find: "onSignIn: () => void network.idle.delete(held)",
    replace: "onSignIn: () => void network",
    tests: ADMISSION,
  },
  {
    breaks: "waiting networks are not served in turn",
    file: "src/server/access/connection-admission.ts",
    find: "this.#turns.delete(network);",
    replace: "if (network.waiting.length === 0) this.#turns.delete(network);",
    tests: ADMISSION,
  },
  {
    breaks: "a socket can wait without a limit",
    file: "src/server/access/connection-admission.ts",
    find: "first.since <= now - MAX_WAIT_MS",
    replace: "first.since <= now - 1000 * MAX_WAIT_MS",
    tests: ADMISSION,
  },
  {
    breaks: "the number of waiting sockets is not limited",
    file: "src/server/access/connection-admission.ts",
    find: "if (this.#waiting < MAX_WAITING) return true;",
    replace: "if (this.#waiting >= 0) return true;",
    tests: ADMISSION,
  },
  {
    breaks: "a socket that is closed keeps its place until its peer answers",
    file: "src/server/graphql/websocket/graphql-sockets.ts",
    find: "    place.leave();\n    socket.close(code, reason);",
    replace: "      socket.close(code, reason);",
    tests: SOCKETS,
  },
  {
    breaks: "a peer that has not signed in can ignore a close",
    file: "src/server/graphql/websocket/graphql-sockets.ts",
    find: "if (!peer.session) setTimeout(",
    replace: "if (peer.session) setTimeout(",
    tests: SOCKETS,
  },
  ...CLIENT_MUTANTS,
];
