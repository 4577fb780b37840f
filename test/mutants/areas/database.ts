import type { Mutant } from "../mutant.js";

const POOL = ["db/connection-pool.test"];
const LATE = ["db/pooled-connection.test"];
const STRANGERS = ["db/database/strangers.test"];
const OWN_PAGES = ["services/own-pages.test"];
const EVENT_LOG = ["services/event-log.test"];

const CONNECTION = "src/db/pooled-connection.ts";
const CONNECTIONS = "src/db/connection-pool.ts";

/** Between the service and PostgreSQL: each statement has its own answer, and overload is refused. */
export const MUTANTS: Mutant[] = [
  { breaks: "a statement that the driver cannot write reaches it", file: "src/db/statement.ts", find: "if (fault) statement.reject(fault);\n    else route", replace: "route", tests: POOL },
  { breaks: "the parameters of parts are not counted", file: "src/db/statement.ts", find: "isStatement(value) ? countParameters(value.args) : ", replace: "", tests: POOL },
  { breaks: "statements are sent behind others on a connection", file: CONNECTIONS, find: "const connection = free.pop();", replace: "const connection = connections[0];", tests: [...STRANGERS, ...POOL] },
  { breaks: "a connection whose state is unknown is used again", file: CONNECTIONS, find: "if (connection.isBroken) return reopen(connection);", replace: "", tests: POOL },
  { breaks: "any number of statements wait", file: CONNECTIONS, find: "if (waiting.length >= maxWaiting) return refuseOverload(work, \"full\");", replace: "", tests: POOL },
  { breaks: "a statement waits for a connection for as long as it takes", file: CONNECTIONS, find: "else if (now - work.since >= waitMs) refuseOverload(work, \"waited\");", replace: "", tests: POOL },
  { breaks: "one operation takes all connections", file: CONNECTIONS, find: "if (share.entered === limit) return void share.queue.push(work);", replace: "", tests: POOL },
  { breaks: "what an operation still has to send outlives it", file: CONNECTIONS, find: "deadline.onPassed(() => share.queue.splice(0).forEach((work) => work.refuse(tooLate())));", replace: "", tests: POOL },
  { breaks: "a statement is sent when its operation was answered as too late while it waited", file: CONNECTIONS, find: "if (!work.deadline?.passed) return start(connection, work);", replace: "return start(connection, work);", tests: POOL },
  { breaks: "a statement is begun for an operation that was answered as too late", file: CONNECTIONS, find: "if (deadline.passed) return task.refuse(tooLate());", replace: "", tests: LATE },
  { breaks: "a transaction is begun in the operation of another", file: CONNECTIONS, find: "AsyncResource.bind(work)", replace: "(void AsyncResource, work)", tests: POOL },
  { breaks: "a server that does not answer is waited for", file: CONNECTIONS, find: "if (!connections.some((connection) => connection.isSilent(answerMs))) return;", replace: "return;", tests: POOL },
  { breaks: "what is sent to a server that does not answer is executed when its caller is gone", file: CONNECTIONS, find: "if (connection.isIdle || connection.isSilent(answerMs))", replace: "if (connection.isSilent(answerMs))", tests: POOL },
  { breaks: "a connection that returned foreign rows is kept", file: CONNECTIONS, find: "for (const connection of suspects.length > 0 ? suspects : connections) connection.discard();", replace: "void suspects;", tests: POOL },
  { breaks: "a statement runs on when its operation was answered as too late", file: CONNECTION, find: "this.#cancelling = statement.canceller?.(statement).catch(() => {}) ?? null;", replace: "", tests: LATE },
  { breaks: "a request to cancel hits the next statement of the connection", file: CONNECTION, find: "if (cancelling) void cancelling.then(over);\n    else over();", replace: "void cancelling, over();", tests: POOL },
  { breaks: "a statement is sent on a connection that was opened too late for it", file: CONNECTION, find: "if (!statement.active) return this.discard();", replace: "if (!statement.active) return;", tests: POOL },
  { breaks: "rows that came before an error are counted with those of the next statement", file: CONNECTION, find: "fail: () => this.#resetRows(leave)", replace: "fail: leave", tests: STRANGERS },
  { breaks: "a connection that is lost while it is opened ends the process", file: "src/db/database.ts", find: "fetch_types: false,", replace: "", tests: ["db/array-types.test"] },
  { breaks: "an element of an array is read as two", file: "src/db/array-types.ts", find: "(?:[^\"\\\\]|\\\\.)*", replace: "[^\"]*", tests: ["db/array-types.test"] },
  { breaks: "statements of a transaction are sent together", file: CONNECTION, find: "last = last.then(() => new Promise<void>((resolve) => this.#runInTime({ statement, deadline, driver, over: resolve })));", replace: "void last.then(() => this.#runInTime({ statement, deadline, driver, over: () => {} }));", tests: [...POOL, ...LATE] },
  { breaks: "pages are given out with rows of another user", file: "src/services/own-pages.ts", find: "rows.every((row) => (row.readerId ?? row.userId) === userId)", replace: "userId !== \"\"", tests: OWN_PAGES },
  { breaks: "a page without an answer is given out as empty", file: "src/services/own-pages.ts", find: "rows.length > 0 && ", replace: "", tests: OWN_PAGES },
  { breaks: "events are given out that are of another user", file: "src/services/event-log.ts", find: "rows.some((row) => row.userId !== userId)", replace: "userId === \"\"", tests: EVENT_LOG },
  { breaks: "no events are given out where there was no answer", file: "src/services/event-log.ts", find: "rows.length === 0 || ", replace: "", tests: EVENT_LOG },
  { breaks: "a statement has a parameter for each id", file: "src/services/ids.ts", find: "const CHUNK_SIZE = 1000;", replace: "const CHUNK_SIZE = 1e9;", tests: ["services/ids.test"] },
  { breaks: "filtered lists keep the connections of everybody", file: "src/bin/create-api.ts", find: "filter.statuses === null && filter.jobs === null ? reads : slow", replace: "filter === null ? slow : reads", tests: ["bin/create-core.test"] },
];
