import type { Mutant } from "../mutant.js";

const POOL = ["db/connection-pool.test"];
const OVERLOAD = ["db/connection-pool/overload.test"];
const LATE = ["db/pooled-connection.test"];
const STRANGERS = ["db/database/strangers.test"];
const ARRAYS = ["db/database/array-types.test"];
const OWN_PAGES = ["services/reads/own-pages.test"];
const EVENT_LOG = ["services/reads/event-log.test"];

const STATEMENT = "src/db/statement.ts";
const CONNECTION = "src/db/pooled-connection.ts";
const CONNECTIONS = "src/db/connection-pool.ts";
const REDIS = ["redis/mute.test"];
const BUS = ["events/event-bus.test"];

/**
 * Between the service and PostgreSQL: each statement has its own answer, and overload is refused.
 */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a statement that the driver cannot write reaches it",
    file: STATEMENT,
    find: "if (fault) statement.reject(fault);\n    else route",
    replace: "route",
    tests: POOL,
  },
  {
    breaks: "the parameters of parts are not counted",
    file: STATEMENT,
    find: "if (isStatement(value)) count += countParameters(value.args);\n    else if",
    replace: "if",
    tests: POOL,
  },
  {
    breaks: "an undefined parameter is a value",
    file: STATEMENT,
    find: "value === undefined ? Number.NaN : 1",
    replace: "1",
    tests: POOL,
  },
  {
    breaks: "statements are sent behind others on a connection",
    file: CONNECTIONS,
    find: "const connection = this.#free.pop();",
    replace: "const connection = this.#connections[0];",
    tests: [...STRANGERS, ...OVERLOAD],
  },
  {
    breaks: "a connection whose state is unknown is used again",
    file: CONNECTIONS,
    find: "if (connection.isBroken) return this.#reopen(connection);",
    replace: "",
    tests: POOL,
  },
  {
    breaks: "any number of statements wait",
    file: CONNECTIONS,
    find:
      "if (this.#waiting.length >= this.#limits.maxWaiting) return refuseOverload(work, " +
      '"full");',
    replace: "",
    tests: OVERLOAD,
  },
  {
    breaks: "a statement waits for a connection for as long as it takes",
    file: CONNECTIONS,
    find: "this.#now - work.since >= this.#limits.waitMs",
    replace: "this.#now < 0",
    tests: OVERLOAD,
  },
  {
    breaks: "one operation takes all connections",
    file: CONNECTIONS,
    find: "if (share.entered === this.#limit) return void share.queue.push(work);",
    replace: "",
    tests: OVERLOAD,
  },
  {
    breaks: "what an operation still has to send outlives it",
    file: CONNECTIONS,
    find: "deadline.onPassed(() => share.queue.splice(0)",
    replace: "void (() => share.queue.splice(0)",
    tests: OVERLOAD,
  },
  {
    breaks: "a statement is sent when its operation was answered as too late while it waited",
    file: CONNECTIONS,
    find: "if (!work.deadline?.passed) return this.#start",
    replace: "return this.#start",
    tests: OVERLOAD,
  },
  {
    breaks: "a statement is begun for an operation that was answered as too late",
    file: CONNECTIONS,
    find: "if (deadline.passed) return refuseIt(tooLate());",
    replace: "",
    tests: LATE,
  },
  {
    breaks: "a transaction is begun in the operation of another",
    file: CONNECTIONS,
    find: "AsyncResource.bind(work)",
    replace: "(void AsyncResource, work)",
    tests: POOL,
  },
  {
    breaks: "a server that does not answer is waited for",
    file: CONNECTIONS,
    find: "if (!this.#connections.some(isSilent)) return;",
    replace: "if (isSilent) return;",
    tests: POOL,
  },
  {
    breaks: "what is sent to a server that does not answer is executed when its caller is gone",
    file: CONNECTIONS,
    find: "if (one.isIdle || isSilent(one))",
    replace: "if (isSilent(one))",
    tests: POOL,
  },
  {
    breaks: "a connection that returned foreign rows is kept",
    file: CONNECTIONS,
    find: "suspects.length > 0 ? suspects : this.#connections",
    replace: "suspects.length > 0 ? [] : this.#connections",
    tests: POOL,
  },
  {
    breaks: "no connection is closed when that of the foreign rows is gone",
    file: CONNECTIONS,
    find: "suspects.length > 0 ? suspects : this.#connections",
    replace: "suspects",
    tests: POOL,
  },
  {
    breaks: "a request to cancel hits the next statement of the connection",
    file: CONNECTION,
    find: "if (cancelling) void cancelling.then(over);\n    else over();",
    replace: "void cancelling, over();",
    tests: POOL,
  },
  {
    breaks: "a statement is sent on a connection that was opened too late for it",
    file: CONNECTION,
    find: "if (!statement.active) return this.discard();",
    replace: "if (!statement.active) return;",
    tests: POOL,
  },
  {
    breaks: "rows that came before an error are counted with those of the next statement",
    file: CONNECTION,
    find: "fail: () => this.#resetRows(leave),",
    replace: "",
    tests: STRANGERS,
  },
  {
    breaks: "a connection to a server that takes no writes is kept",
    file: CONNECTION,
    find: "error.code !== READ_ONLY",
    replace: 'READ_ONLY !== ""',
    tests: POOL,
  },
  {
    breaks: "statements of a transaction are sent together",
    file: CONNECTION,
    find: "last = last.then(sent);",
    replace: "void last.then(sent);",
    tests: POOL,
  },
  {
    breaks: "a connection that is lost while it is opened ends the process",
    file: "src/db/database.ts",
    find: "fetch_types: false,",
    replace: "",
    tests: ARRAYS,
  },
  {
    breaks: "an element of an array is read as two",
    file: "src/db/database.ts",
    find: '"((?:[^"\\\\]|\\\\.)*)"',
    replace: '"([^"]*)"',
    tests: ARRAYS,
  },
  {
    breaks: "pages are given out with rows of another user",
    file: "src/services/reads/own-pages.ts",
    find: "rows.every((row) => (row.readerId ?? row.userId) === userId)",
    replace: 'userId !== ""',
    tests: OWN_PAGES,
  },
  {
    breaks: "a page without an answer is given out as empty",
    file: "src/services/reads/own-pages.ts",
    find: "rows.length > 0 && ",
    replace: "",
    tests: OWN_PAGES,
  },
  {
    breaks: "events are given out that are of another user",
    file: "src/services/reads/event-log.ts",
    find: "rows.some((row) => row.userId !== userId)",
    replace: 'userId === ""',
    tests: EVENT_LOG,
  },
  {
    breaks: "no events are given out where there was no answer",
    file: "src/services/reads/event-log.ts",
    find: "rows.length === 0 || ",
    replace: "",
    tests: EVENT_LOG,
  },
  {
    breaks: "a statement has a parameter for each id",
    file: "src/services/reads/ids.ts",
    find: "const CHUNK_SIZE = 1000;",
    replace: "const CHUNK_SIZE = 1e9;",
    tests: ["services/reads/ids.test"],
  },
  {
    breaks: "filtered lists keep the connections of everybody",
    file: "src/app/create-api-services.ts",
    find: "scopes.some(isSlow) ? slow : reads",
    replace: "scopes.some(isSlow) ? reads : reads",
    tests: ["app/create-core.test"],
  },
  {
    breaks: "a connection to Redis that is mute is kept",
    file: "src/runtime/redis.ts",
    find: "socketTimeout: answerMs,",
    replace: "",
    tests: REDIS,
  },
  {
    breaks: "an idle connection to Redis is not asked whether it is answered",
    file: "src/runtime/redis.ts",
    find: "redis.ping().catch(() => {})",
    replace: "redis.status",
    tests: REDIS,
  },
  {
    breaks: "an idle connection of BullMQ is not asked whether it is answered",
    file: "src/runtime/redis.ts",
    find: "keepAsking(made, pingMs);",
    replace: "",
    tests: REDIS,
  },
  {
    breaks: "BullMQ's call for work is cut off before it can end",
    file: "src/runtime/redis.ts",
    find: "2 * answerMs",
    replace: "answerMs",
    tests: REDIS,
  },
  {
    breaks: "what Redis does not read piles up",
    file: "src/runtime/redis.ts",
    find: "> MAX_UNSENT_BYTES",
    replace: "> Infinity",
    tests: REDIS,
  },
  {
    breaks: "notifications that could not be published are not counted",
    file: "src/events/event-bus.ts",
    find: "onDropped?.(count);",
    replace: "",
    tests: BUS,
  },
];
