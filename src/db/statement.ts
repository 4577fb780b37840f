import type { Sql, TransactionSql } from "postgres";
import { currentDeadline, type Deadline } from "../runtime/deadline.js";

/** A statement of the driver, with what its types leave out. */
export interface Statement extends Promise<unknown> {
  args: readonly unknown[];
  /** Called once, when the statement is first awaited: hands it to a connection. */
  handler: Handler;
  /** Asks PostgreSQL to cancel it. Beware: the driver's own `cancel()` drops this promise. */
  canceller: ((statement: Statement) => Promise<void>) | null;
  /** PostgreSQL works on it. */
  active: boolean;
  /** Identifies the connection, as the `state` of a list of rows does. */
  state: object | null;
  reject(error: Error): void;
}

export type Handler = (statement: Statement) => void;

/** Where the statements of a client go instead of to a connection of its choice. */
export interface Route {
  send(statement: Statement, deadline: Deadline | undefined, driver: Handler): void;
  begin?(work: (sql: TransactionSql) => Promise<unknown>): Promise<unknown>;
}

type Make = (...args: unknown[]) => unknown;

const MAX_PARAMETERS = 10_000;

/**
 * The same client, whose statements take this route; one that the driver could not write is
 * refused. A proxy, since the driver has no hook where a statement is sent; it costs less than a
 * round trip to PostgreSQL varies (under 15 of 200 µs; see bench/load/lone-statements).
 */
export function routeStatements<S extends Sql | TransactionSql>(sql: S, route: Route): S {
  return new Proxy(sql, {
    apply: (target, self, args: unknown[]) =>
      routed(Reflect.apply(target as unknown as Make, self, args), route),
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

/** A part of a statement is never awaited; its parameters are counted with those of the whole. */
function routed<T>(made: T, route: Route): T {
  if (!isStatement(made)) return made;
  const [deadline, driver] = [currentDeadline(), made.handler];
  made.handler = (statement) => {
    const fault = parameterFault(statement.args);
    if (fault) statement.reject(fault);
    else route.send(statement, deadline, driver);
  };
  return made;
}

/** Beware: the driver counts a statement as sent before it has written it. */
function parameterFault(args: readonly unknown[]): Error | null {
  const count = countParameters(args);
  if (Number.isNaN(count))
    return new TypeError("A parameter of a statement is undefined: pass null.");
  if (count <= MAX_PARAMETERS) return null;
  return new RangeError(
    `A statement has ${count} parameters, at most ${MAX_PARAMETERS} are allowed: pass an ` +
      "array as one.",
  );
}

/** Those of its parts, too; not a number when one of them is undefined. */
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
