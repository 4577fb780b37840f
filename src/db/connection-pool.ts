// Each connection runs one statement or transaction at a time. The driver's own pool pipelines
// statements of different callers on one connection. A statement then waits for another caller's,
// and one that cannot be written shifts all later answers to other callers.
import { AsyncResource } from "node:async_hooks";
import type { TransactionSql } from "postgres";
import { currentDeadline, type Deadline } from "../runtime/deadline.js";
import { ServiceUnavailableError } from "../domain/errors.js";
import { reportRefusal } from "../runtime/micro-batch.js";
import { type OpenClient, PooledConnection, tooLate } from "./pooled-connection.js";
import type { Route, Statement } from "./statement.js";

export interface PoolLimits {
  /** Maximum statements and transactions that wait for a connection. */
  maxWaiting: number;
  /** Maximum wait for a connection. */
  waitMs: number;
  /** Maximum duration of a statement, which is cancelled then. */
  statementMs: number;
  /** Maximum wait for an answer; longer than `statementMs` and the server's own limits. */
  answerMs: number;
}

export interface PoolOptions {
  open: OpenClient;
  connections: number;
  limits: PoolLimits;
}

/** A statement or a transaction. */
interface Work {
  deadline: Deadline | undefined;
  run(connection: PooledConnection, over: () => void): void;
  refuse(error: Error): void;
}

interface EnteredWork extends Work {
  /** When it began to wait, on the pool's clock. */
  since: number;
  /** Called when it has ended or was refused. */
  leave(): void;
}

const TICK_MS = 250;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;
const CLOSE_SECONDS = 5;

export class ConnectionPool implements Required<Route> {
  readonly #limits: PoolLimits;
  readonly #connections: PooledConnection[];
  readonly #free: PooledConnection[];
  readonly #shares: OperationShares;
  readonly #clock: NodeJS.Timeout;
  #waiting: EnteredWork[] = [];
  /**
   * The pool's clock in milliseconds. It stops while the event loop is blocked, so that answers
   * that arrived then are not late.
   */
  #now = 0;
  #tickedAt = performance.now();
  /** Connections lost since the last answered statement. */
  #lost = 0;
  #closed = false;

  constructor({ open, connections, limits }: PoolOptions) {
    this.#limits = limits;
    const createConnection = () => new PooledConnection(open, () => this.#now);
    this.#connections = Array.from({ length: connections }, createConnection);
    this.#free = [...this.#connections];
    this.#shares = new OperationShares(Math.ceil(connections / 2), (work) => this.#enter(work));
    this.#clock = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Number of statements and transactions that wait for a connection. */
  get waiting(): number {
    return this.#waiting.length;
  }

  send = (statement: Statement, deadline: Deadline | undefined): void =>
    this.#shares.submit({
      deadline,
      run: (connection, over) => connection.send(statement, deadline, over),
      refuse: (error) => statement.reject(error),
    });

  begin = (work: (sql: TransactionSql) => Promise<unknown>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      // The statement that frees a connection starts the next one, which has its own deadline.
      const bound = AsyncResource.bind(work);
      this.#shares.submit({
        deadline: currentDeadline(),
        run: (connection, over) => void connection.begin(bound, over).then(resolve, reject),
        refuse: reject,
      });
    });

  /** Closes the connection that returned these rows; if it is unknown, closes all connections. */
  distrust(rows: object): void {
    const suspects = this.#connections.filter((connection) => connection.hasReturned(rows));
    for (const connection of suspects.length > 0 ? suspects : this.#connections)
      connection.discard();
  }

  /** Closes all connections; running statements fail, and the next ones open new connections. */
  renew(): void {
    for (const connection of this.#connections) connection.discard();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#clock);
    for (const work of this.#waiting.splice(0)) refuse(work, poolClosed());
    await Promise.all(this.#connections.map((connection) => connection.close(CLOSE_SECONDS)));
  }

  #enter(work: EnteredWork): void {
    if (this.#closed) return refuse(work, poolClosed());
    const connection = this.#free.pop();
    if (connection) return this.#start(connection, work);
    if (this.#waiting.length >= this.#limits.maxWaiting) return refuseOverload(work, "full");
    work.since = this.#now;
    this.#waiting.push(work);
  }

  #start(connection: PooledConnection, work: EnteredWork): void {
    work.run(connection, () => {
      work.leave();
      if (connection.isBroken) return this.#reopen(connection);
      this.#lost = 0;
      this.#serve(connection);
    });
  }

  #serve(connection: PooledConnection): void {
    for (let work = this.#waiting.shift(); work; work = this.#waiting.shift()) {
      if (!work.deadline?.passed) return this.#start(connection, work);
      refuse(work, tooLate());
    }
    this.#free.push(connection);
  }

  /** Reopens after a pause that grows while the server is unavailable. */
  #reopen(connection: PooledConnection): void {
    if (this.#closed) return;
    connection.reopen();
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#lost++, MAX_PAUSE_MS);
    setTimeout(() => this.#serve(connection), pauseMs);
  }

  #tick(): void {
    this.#now += Math.min(performance.now() - this.#tickedAt, 2 * TICK_MS);
    this.#tickedAt = performance.now();
    for (const work of this.#waiting.splice(0)) {
      if (work.deadline?.passed) refuse(work, tooLate());
      else if (this.#now - work.since >= this.#limits.waitMs) refuseOverload(work, "waited");
      else this.#waiting.push(work);
    }
    for (const connection of this.#connections) connection.cancelAfter(this.#limits.statementMs);
    const isSilent = (connection: PooledConnection) => connection.isSilent(this.#limits.answerMs);
    if (!this.#connections.some(isSilent)) return;
    // Idle connections lead to the same server, which would execute new statements much later.
    for (const one of this.#connections) if (one.isIdle || isSilent(one)) one.discard();
  }
}

/**
 * Limits how many statements of one operation are in the pool at a time, so that other operations
 * are served.
 */
class OperationShares {
  readonly #shares = new WeakMap<Deadline, { entered: number; queue: EnteredWork[] }>();
  readonly #limit: number;
  readonly #enter: (work: EnteredWork) => void;

  constructor(limit: number, enter: (work: EnteredWork) => void) {
    this.#limit = limit;
    this.#enter = enter;
  }

  submit({ deadline, run, refuse: refuseIt }: Work): void {
    const work: EnteredWork = { deadline, run, refuse: refuseIt, since: 0, leave: () => {} };
    if (!deadline) return this.#enter(work);
    if (deadline.passed) return refuseIt(tooLate());
    const share = this.#shareOf(deadline);
    work.leave = () => {
      const next = share.queue.shift();
      if (next) this.#enter(next);
      else share.entered--;
    };
    if (share.entered === this.#limit) return void share.queue.push(work);
    share.entered++;
    this.#enter(work);
  }

  #shareOf(deadline: Deadline) {
    const existing = this.#shares.get(deadline);
    if (existing) return existing;
    const share = { entered: 0, queue: [] as EnteredWork[] };
    this.#shares.set(deadline, share);
    deadline.onPassed(() => share.queue.splice(0).forEach((work) => work.refuse(tooLate())));
    return share;
  }
}

function refuseOverload(work: EnteredWork, why: "full" | "waited"): void {
  reportRefusal({ what: "statement", why });
  refuse(
    work,
    new ServiceUnavailableError(
      "Too many requests are waiting for the database; try again in a moment.",
    ),
  );
}

function refuse(work: EnteredWork, error: Error): void {
  work.refuse(error);
  // Deferred, because thousands of statements of one operation may be refused in a row.
  queueMicrotask(work.leave);
}

/** Has the same code as the driver's error. */
function poolClosed(): Error {
  return Object.assign(new Error("The connection pool is closed."), { code: "CONNECTION_ENDED" });
}
