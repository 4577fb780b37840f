import type { PendingQuery, Row, Sql, TransactionSql } from "postgres";
import { currentDeadline } from "../deadline.js";
import { ServiceUnavailableError } from "../errors.js";

type Query = PendingQuery<Row[]>;

/** What the library's types do not tell. Beware: its own `cancel()` drops the promise, and with it a refused connection would end the process. */
interface Cancellable {
  /** It was waited for, and so is on its way. */
  executed: boolean;
  /** PostgreSQL works on it now. */
  active: boolean;
  canceller: ((query: unknown) => Promise<void>) | null;
}

const LOOK_MS = 50;

/** The same client, except that a statement of an operation whose deadline has passed is not begun, and is cancelled while it runs. */
export function endLateStatements<S extends Sql | TransactionSql>(sql: S): S {
  return new Proxy(sql, {
    apply: (target, self, args) => ended(Reflect.apply(target as unknown as (...all: unknown[]) => unknown, self, args)),
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (name === "unsafe") return (...args: Parameters<Sql["unsafe"]>) => ended(target.unsafe(...args));
      if (name === "begin") return (work: (transaction: TransactionSql) => Promise<unknown>) => (isLate() ? Promise.reject(tooLate()) : (target as Sql).begin((transaction) => work(endLateStatements(transaction))));
      return member;
    },
  });
}

/** What is only a part of a statement, or a name in it, is never waited for. */
function ended<T>(made: T): T {
  const deadline = currentDeadline();
  if (!deadline || !(made instanceof Promise)) return made;
  const query = made as unknown as Query;
  if (deadline.passed) refuse(query);
  else deadline.onPassed(() => ((query as unknown as Cancellable).executed ? cancelOnceActive(query) : refuse(query)));
  return made;
}

/** It is sent when it is first waited for. */
function refuse(query: Query): void {
  // eslint-disable-next-line unicorn/no-thenable -- it is one already
  query.then = (onDone, onFail) => Promise.reject(tooLate()).then(onDone, onFail);
}

/**
 * Beware: the library may be told to cancel only what PostgreSQL works on. One that waits for a connection would take that
 * one with it, and one that waits behind another on its connection would be given the rows of the next.
 */
function cancelOnceActive(query: Query): void {
  function look(): void {
    const { active, canceller } = query as unknown as Cancellable;
    if (!active) return;
    clearInterval(timer);
    // What cannot be cancelled ends by the limits of the server.
    canceller?.(query).catch(() => {});
  }
  const timer = setInterval(look, LOOK_MS).unref();
  const settled = () => clearInterval(timer);
  void query.then(settled, settled);
  look();
}

const isLate = () => currentDeadline()?.passed === true;

function tooLate(): ServiceUnavailableError {
  return new ServiceUnavailableError("Nobody waits for this any more.");
}
