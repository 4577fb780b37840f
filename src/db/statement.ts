import type { Sql, TransactionSql } from "postgres";
import { currentDeadline, type Deadline } from "../runtime/deadline.js";

/** A statement of the driver, including properties that its types omit. */
export interface Statement extends Promise<unknown> {
  args: readonly unknown[];
  /** Called once, when the statement is first awaited, to pass it to a connection. */
  handler: Handler;
  /**
   * Sends a cancel request to PostgreSQL. Beware: the driver's own `cancel()` drops this promise.
   */
  canceller: ((statement: Statement) => Promise<void>) | null;
  /** True while PostgreSQL executes it. */
  active: boolean;
  /** Identifies the connection, like the `state` of a list of rows. */
  state: object | null;
  reject(error: Error): void;
}

export type Handler = (statement: Statement) => void;

/** The destination of a client's statements, in place of a connection that the driver chooses. */
export interface Route {
  send(statement: Statement, deadline: Deadline | undefined, driver: Handler): void;
  begin?(work: (sql: TransactionSql) => Promise<unknown>): Promise<unknown>;
}

type Call = (...args: unknown[]) => unknown;

const MAX_PARAMETERS = 10_000;

/**
 * Returns the same client with its statements sent over `route`; a statement that the driver cannot
 * write is refused.
 *
 * It is a proxy, because the driver has no hook for sending. The proxy costs less than the
 * variation of a round trip (under 15 of 200 µs; see bench/load/lone-statements).
 */
export function routeStatements<S extends Sql | TransactionSql>(sql: S, route: Route): S {
  return new Proxy(sql, {
    apply: (target, self, args: unknown[]) =>
      routed(Reflect.apply(target as unknown as Call, self, args), route),
    get(target, name, receiver) {
      if (name === "unsafe")
        return (...args: Parameters<Sql["unsafe"]>) => routed(target.unsafe(...args), route);
      if (name === "begin" && route.begin) return route.begin;
      if (name === "savepoint") return savepointOf(target as TransactionSql, route);
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
}

function savepointOf(sql: TransactionSql, route: Route) {
  return (work: (sql: TransactionSql) => Promise<unknown>) =>
    sql.savepoint((inner) => work(routeStatements(inner, route)));
}

/** Fragments of a statement are never awaited; their parameters are counted with the whole. */
function routed<T>(result: T, route: Route): T {
  if (!isStatement(result)) return result;
  const [deadline, driver] = [currentDeadline(), result.handler];
  result.handler = (statement) => {
    const fault = parameterFault(statement.args);
    if (fault) statement.reject(fault);
    else route.send(statement, deadline, driver);
  };
  return result;
}

/** Beware: the driver counts a statement as sent before it is written. */
function parameterFault(args: readonly unknown[]): Error | null {
  const count = countParameters(args);
  if (Number.isNaN(count))
    return new TypeError("A parameter of a statement is undefined: pass null.");
  if (count <= MAX_PARAMETERS) return null;
  return new RangeError(
    `A statement has ${count} parameters; at most ${MAX_PARAMETERS} are allowed: pass an ` +
      "array as one parameter.",
  );
}

/** Counts the parameters, including those of fragments; NaN if one is undefined. */
function countParameters(args: readonly unknown[]): number {
  let count = 0;
  for (const value of args) {
    if (isStatement(value)) count += countParameters(value.args);
    else if (Array.isArray(value) && isStatement(value[0])) count += countParameters(value);
    else count += value === undefined ? Number.NaN : 1;
  }
  return count;
}

function isStatement(value: unknown): value is Statement {
  return value instanceof Promise && "args" in value;
}
