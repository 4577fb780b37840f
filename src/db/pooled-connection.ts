import postgres, { type Sql, type TransactionSql } from "postgres";
import type { Deadline } from "../runtime/deadline.js";
import { ServiceUnavailableError } from "../domain/errors.js";
import { reportRefusal } from "../runtime/micro-batch.js";
import { routeStatements, type Handler, type Statement } from "./statement.js";

interface Sending {
  statement: Statement;
  deadline: Deadline | undefined;
  driver: Handler;
  /** Called when PostgreSQL has finished the statement. */
  over(): void;
  /** Called instead of `over` when the statement failed. */
  fail?(): void;
}

const READ_ONLY = "25006";

/**
 * A client with one connection, on which one statement runs at a time, also within a transaction.
 */
export class PooledConnection {
  readonly #open: OpenClient;
  readonly #now: () => number;
  #client: Sql;
  #driver: Handler;
  #busy = false;
  #broken = false;
  /** The connection of the running transaction has ended. */
  #ended = false;
  #statement: Statement | null = null;
  /** Time since which an answer is due; null while none is due. */
  #since: number | null = null;
  #cancelling: Promise<void> | null = null;
  #state: object | null = null;

  /** `now` is the clock for `isSilent`. */
  constructor(open: OpenClient, now: () => number) {
    this.#open = open;
    this.#now = now;
    this.#client = this.#connect();
    this.#driver = driverOf(this.#client);
  }

  /** The connection's state is unknown: it must be reopened before use. */
  get isBroken(): boolean {
    return this.#broken;
  }

  get isIdle(): boolean {
    return !this.#busy;
  }

  /** Calls `over` when the connection is free again. */
  send(statement: Statement, deadline: Deadline | undefined, over: () => void): void {
    this.#busy = true;
    const leave = () => this.#leave(over);
    this.#run({
      statement,
      deadline,
      driver: this.#driver,
      over: leave,
      fail: () => this.#resetRows(leave),
    });
  }

  /**
   * Like `sql.begin`; calls `over` when the connection is free again. Beware: the driver writes to
   * a connection that has ended, which throws uncaught. So nothing is sent then, not even a
   * ROLLBACK: the work never ends, and the driver refuses the transaction.
   */
  begin(work: (sql: TransactionSql) => Promise<unknown>, over: () => void): Promise<unknown> {
    let last = Promise.resolve();
    const send = (statement: Statement, deadline: Deadline | undefined, driver: Handler): void => {
      const sent = () =>
        new Promise<void>((resolve) =>
          this.#runInTime({ statement, deadline, driver, over: resolve }),
        );
      last = last.then(sent);
    };
    this.#busy = true;
    this.#since = this.#now();
    const done = this.#client.begin(async (sql) => {
      this.#since = null;
      this.#ended = false;
      try {
        return await work(routeStatements(sql, { send }));
      } finally {
        // The next statement is COMMIT or ROLLBACK: a cancel request that is still on its way would
        // hit it.
        await last;
        if (this.#ended) await new Promise(() => {});
        this.#since = this.#now();
      }
    });
    done.then(
      () => this.#leave(over),
      () => this.#leave(over),
    );
    return done;
  }

  /** True if an answer has been due for at least `ms`. */
  isSilent(ms: number): boolean {
    return this.#since !== null && this.#now() - this.#since >= ms;
  }

  /** Cancels the running statement if it has lasted for at least `ms`. */
  cancelAfter(ms: number): void {
    if (this.#statement && !this.#cancelling && this.isSilent(ms)) this.#endLate(this.#statement);
  }

  hasReturned(rows: object): boolean {
    return "state" in rows && rows.state === this.#state;
  }

  /** Closes the connection; the running statement fails. */
  discard(): void {
    if (!this.#busy) return this.reopen();
    this.#broken = true;
    void this.#client.end({ timeout: 0 });
  }

  /** Replaces the client; the next statement opens a new connection. */
  reopen(): void {
    void this.#client.end({ timeout: 0 });
    this.#client = this.#connect();
    this.#driver = driverOf(this.#client);
    this.#broken = false;
  }

  close(seconds: number): Promise<void> {
    return this.#client.end({ timeout: seconds });
  }

  #connect(): Sql {
    const client = this.#open(() => {
      // A client that was replaced ends later.
      if (client === this.#client) this.#ended = true;
    });
    return client;
  }

  #runInTime(sending: Sending): void {
    if (!this.#ended && !sending.deadline?.passed) return this.#run(sending);
    sending.statement.reject(this.#ended ? endedInTransaction() : tooLate());
    sending.over();
  }

  #run({ statement, deadline, driver, over, fail = over }: Sending): void {
    this.#statement = statement;
    this.#since = this.#now();
    deadline?.onPassed(() => this.#endLate(statement));
    statement.then(
      () => this.#settle(over),
      (error: unknown) => {
        if (!isRefusal(error)) this.#broken = true;
        if (isTurnedAway(error)) reportRefusal({ what: "connection", why: "full" });
        this.#settle(fail);
      },
    );
    driver(statement);
  }

  /**
   * Beware: after an error the driver continues the row count of the failed statement in the next
   * one.
   */
  #resetRows(over: () => void): void {
    if (this.#broken) return over();
    const failed = (): void => {
      this.#broken = true;
      over();
    };
    this.#since = this.#now();
    this.#client`select`.then(over, failed);
  }

  #settle(over: () => void): void {
    if (this.#statement) this.#state = this.#statement.state;
    this.#statement = null;
    this.#since = null;
    const cancelling = this.#cancelling;
    this.#cancelling = null;
    // PostgreSQL cancels the statement that runs when the request arrives, so no other may start
    // before.
    if (cancelling) void cancelling.then(over);
    else over();
  }

  #leave(over: () => void): void {
    this.#busy = false;
    this.#since = null;
    over();
  }

  #endLate(statement: Statement): void {
    if (this.#statement !== statement) return;
    // The statement is not sent yet: its connection is still being opened.
    if (!statement.active) return this.discard();
    // If the cancel request fails, no answer comes in time, and the connection is closed.
    this.#cancelling = statement.canceller?.(statement).catch(() => {}) ?? null;
  }
}

/** Creates a client of at most one connection, and calls back when a connection has ended. */
export type OpenClient = (onEnd: () => void) => Sql;

/** Has the same code as the driver's error. */
function endedInTransaction(): Error {
  const error = new Error("The connection has ended during a transaction.");
  return Object.assign(error, { code: "CONNECTION_CLOSED" });
}

export function tooLate(): ServiceUnavailableError {
  return new ServiceUnavailableError("The deadline of the operation has passed.");
}

/**
 * True if the connection is still usable after this error. A connection to a read-only server is
 * not kept.
 */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof postgres.PostgresError &&
    error.severity === "ERROR" &&
    error.code !== READ_ONLY
  );
}

/** too_many_connections; protocol_violation, with which PgBouncer refuses and drops clients. */
const TURNED_AWAY = new Set(["53300", "08P01"]);

function isTurnedAway(error: unknown): boolean {
  return error instanceof postgres.PostgresError && TURNED_AWAY.has(error.code);
}

/**
 * Returns the function with which a client sends statements; this statement is never awaited and so
 * never sent.
 */
function driverOf(client: Sql): Handler {
  return (client`` as unknown as Statement).handler;
}
