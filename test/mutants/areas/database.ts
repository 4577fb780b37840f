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

/**
 * Between the service and PostgreSQL: each statement gets its own answer, and overload is refused.
 */
export const MUTANTS: Mutant[] = [
  {
    breaks: "a ROLLBACK on a connection that has ended ends the process",
    file: "src/db/pooled-connection.ts",
    find: "if (this.#ended) await new Promise(() => {});",
    replace: "",
    tests: ["db/database.test"],
  },
  {
    breaks: "a host that went away is kept although another one is the primary",
    file: "src/db/writable-host.ts",
    find: "if (!next) return;",
    replace: "return;",
    tests: ["db/writable-host.test"],
  },
  {
    breaks: "a host that accepts no writes is taken for the primary",
    file: "src/db/writable-host.ts",
    find: 'return row?.readOnly === "off";',
    replace: "return row !== undefined;",
    tests: ["db/writable-host.test"],
  },
  {
    breaks: "a server that is not known to be up to date answers reads",
    file: "src/db/replica.ts",
    find: "if (!isUsable()) return work(primary);",
    replace: "",
    tests: ["db/replica.test"],
  },
  {
    breaks: "a database whose sessions have no limits counts as migrated",
    file: "src/db/migrate.ts",
    find: "&& (await hasSessionSettings(sql))",
    replace: "",
    tests: ["db/migrate.test"],
  },
  {
    breaks: "a statement that the driver cannot write reaches it",
    file: STATEMENT,
    find: "if (fault) statement.reject(fault);\n    else route",
    replace: "route",
    tests: POOL,
  },
  {
    breaks: "parameters of fragments are not counted",
    file: STATEMENT,
    find: "if (isStatement(value)) count += countParameters(value.args);\n    else if",
    replace: "if",
    tests: POOL,
  },
  {
    breaks: "an undefined parameter is accepted",
    file: STATEMENT,
    find: "value === undefined ? Number.NaN : 1",
    replace: "1",
    tests: POOL,
  },
  {
    breaks: "statements are pipelined behind others on a connection",
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
    breaks: "the number of waiting statements is not limited",
    file: CONNECTIONS,
    find:
      "if (this.#waiting.length >= this.#limits.maxWaiting) return refuseOverload(work, " +
      '"full");',
    replace: "",
    tests: OVERLOAD,
  },
  {
    breaks: "a statement waits for a connection without a time limit",
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
    breaks: "waiting statements of an operation outlive it",
    file: CONNECTIONS,
    find: "deadline.onPassed(() => share.queue.splice(0)",
    replace: "void (() => share.queue.splice(0)",
    tests: OVERLOAD,
  },
  {
    breaks: "a waiting statement is sent after its operation's deadline",
    file: CONNECTIONS,
    find: "if (!work.deadline?.passed) return this.#start",
    replace: "return this.#start",
    tests: OVERLOAD,
  },
  {
    breaks: "a statement starts after its operation's deadline",
    file: CONNECTIONS,
    find: "if (deadline.passed) return refuseIt(tooLate());",
    replace: "",
    tests: LATE,
  },
  {
    breaks: "a transaction runs in another operation's context",
    file: CONNECTIONS,
    find: "AsyncResource.bind(work)",
    replace: "(void AsyncResource, work)",
    tests: POOL,
  },
  {
    breaks: "a server that does not answer is awaited without a limit",
    file: CONNECTIONS,
    find: "if (!this.#connections.some(isSilent)) return;",
    replace: "if (isSilent) return;",
    tests: POOL,
  },
  {
    breaks: "a statement sent to a hanging server runs after its caller has gone",
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
    breaks: "no connection is closed when the one with foreign rows is unknown",
    file: CONNECTIONS,
    find: "suspects.length > 0 ? suspects : this.#connections",
    replace: "suspects",
    tests: POOL,
  },
  {
    breaks: "a cancel request hits the next statement of the connection",
    file: CONNECTION,
    find: "if (cancelling) void cancelling.then(over);\n    else over();",
    replace: "void cancelling, over();",
    tests: POOL,
  },
  {
    breaks: "a statement is sent on a connection that opened after its deadline",
    file: CONNECTION,
    find: "if (!statement.active) return this.discard();",
    replace: "if (!statement.active) return;",
    tests: POOL,
  },
  {
    breaks: "rows before an error are counted with those of the next statement",
    file: CONNECTION,
    find: "fail: () => this.#resetRows(leave),",
    replace: "",
    tests: STRANGERS,
  },
  {
    breaks: "a connection to a read-only server is kept",
    file: CONNECTION,
    find: "error.code !== READ_ONLY",
    replace: 'READ_ONLY !== ""',
    tests: POOL,
  },
  {
    breaks: "statements of a transaction are pipelined",
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
    breaks: "a page with rows of another user is returned",
    file: "src/services/reads/own-pages.ts",
    find: "rows.every((row) => (row.readerId ?? row.userId) === userId)",
    replace: 'userId !== ""',
    tests: OWN_PAGES,
  },
  {
    breaks: "a page without an answer is returned as empty",
    file: "src/services/reads/own-pages.ts",
    find: "rows.length > 0 && ",
    replace: "",
    tests: OWN_PAGES,
  },
  {
    breaks: "a page behind a cursor always has a previous one",
    file: "src/services/reads/list-scan.ts",
    find: '(${id}) is not null as "hasBehind"',
    replace: '(${id}) is not null or true as "hasBehind"',
    tests: OWN_PAGES,
  },
  {
    breaks: "the row of the cursor itself does not precede the page",
    file: "src/services/reads/list-scan.ts",
    find: "return { key, backward: !backward, inclusive: true };",
    replace: "return { key, backward: !backward };",
    tests: OWN_PAGES,
  },
  {
    breaks: "a previous page contains the rows of another user",
    file: "src/services/reads/list-scan.ts",
    find: "within: sql`<=`",
    replace: "within: sql`>=`",
    tests: OWN_PAGES,
  },
  {
    breaks: "events of another user are returned",
    file: "src/services/reads/event-log.ts",
    find: "rows.some((row) => row.userId !== userId)",
    replace: 'userId === ""',
    tests: EVENT_LOG,
  },
  {
    breaks: "a missing answer is returned as no events",
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
    breaks: "filtered lists of all users keep connections busy",
    file: "src/app/create-api-services.ts",
    find: "scopes.some(isSlow) ? slow : reads",
    replace: "scopes.some(isSlow) ? reads : reads",
    tests: ["app/create-core.test"],
  },
  {
    breaks: "an operator's statement may return to the role of the owner",
    file: "src/db/read-only-role.ts",
    find: "language plpgsql security definer as",
    replace: "language plpgsql as",
    tests: ["db/read-only-queries/"],
  },
  {
    breaks: "an operator's statement runs in a function of another role",
    file: "src/db/read-only-queries.ts",
    find: "if (!row.runs)",
    replace: "if (false)",
    tests: ["db/read-only-queries.test"],
  },
];
