import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type PostgresType, type Sql } from "postgres";
import { ServiceUnavailableError } from "../domain/errors.js";
import { parseDatabaseUrl } from "../runtime/store-urls.js";
import { ConnectionPool, type PoolLimits } from "./connection-pool.js";
import { driverArguments } from "./driver-arguments.js";
import { routeStatements } from "./statement.js";
import { WritableHost } from "./writable-host.js";

export interface Database {
  /** Query builder, for reads and for writes that are not transitions. */
  orm: PostgresJsDatabase;
  /**
   * Hand-written statements, prepared by name. Beware: Drizzle has replaced this client's
   * serialisers. Instants are read and written as text, and JSON is written as text.
   */
  sql: Sql;
  /** Number of statements and transactions that wait for a connection. */
  readonly waiting: number;
  /** Resolves when PostgreSQL answers; throws ServiceUnavailableError otherwise. */
  ping(): Promise<void>;
  /**
   * Call this for rows of another user. It closes the connection that returned them, reports it,
   * and returns the error to throw.
   */
  foreignRows(rows: object): ServiceUnavailableError;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  connections: number;
  applicationName: string;
  limits?: Partial<PoolLimits>;
  onForeignRows?(error: ServiceUnavailableError): void;
  /** Called when another host has become the primary, and all connections lead there. */
  onMoved?(host: string): void;
}

/** The sum of `waitMs` and `answerMs` is less than the deadline of an operation. */
const LIMITS: PoolLimits = { maxWaiting: 500, waitMs: 2000, statementMs: 5000, answerMs: 7000 };

/** Connects at the first statement; the next statement reconnects after the server was lost. */
export function createDatabase(options: DatabaseOptions): Database {
  const place = parseDatabaseUrl(options.url);
  const primary = place.needsPrimary ? new WritableHost(place) : null;
  // This client creates the statements but sends none; the pool's clients share its types.
  const client = postgres(
    ...driverArguments(options.url, {
      ...(primary && { socket: primary.connect }),
      connect_timeout: 2,
      idle_timeout: 60,
      backoff: (attempt: number) => Math.min(0.1 * 2 ** attempt, 1),
      onnotice: () => {},
      fetch_types: false,
      types: arrayTypes(),
      // PgBouncer accepts no others; the rest are settings of the role.
      connection: { application_name: options.applicationName, TimeZone: "UTC" },
    }),
  );
  const open = (onclose: () => void) =>
    postgres({ ...client.options, max: 1, onclose } as unknown as postgres.Options<
      Record<string, postgres.PostgresType>
    >);
  const pool = new ConnectionPool({
    open,
    connections: options.connections,
    limits: { ...LIMITS, ...options.limits },
  });
  primary?.onMoved(({ host, port }) => {
    pool.renew();
    options.onMoved?.(`${host}:${port}`);
  });
  const sql = routeStatements(client, pool);
  return {
    orm: drizzle({ client: sql }),
    sql,
    get waiting() {
      return pool.waiting;
    },
    ping: () => available(async () => void (await sql`select 1`)),
    foreignRows(rows) {
      const error = new ServiceUnavailableError(
        "The database returned a wrong answer; try again in a moment.",
      );
      pool.distrust(rows);
      options.onForeignRows?.(error);
      return error;
    },
    async close() {
      await Promise.all([primary?.close(), pool.close()]);
    },
  };
}

/** Runs `work` in a transaction, which is rolled back when it throws. */
export function inTransaction<T>(sql: Sql, work: (tx: Sql) => Promise<T>): Promise<T> {
  // A transaction has all parts of a client that write statements.
  return sql.begin((transaction) => work(transaction as unknown as Sql)) as Promise<T>;
}

/**
 * Runs `query`. A lost or refused connection becomes ServiceUnavailableError, from any library.
 * After a deadlock or a serialisation failure the statement is undone, so it runs again.
 */
export async function available<T>(query: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await query();
    } catch (error) {
      for (const link of causes(error)) if (link instanceof ServiceUnavailableError) throw link;
      if (connectionFault(error) !== null)
        throw new ServiceUnavailableError("The database is unavailable; try again in a moment.", {
          cause: error,
        });
      if (tries === MAX_TRIES || !UNDONE.has(sqlState(error) ?? "")) throw error;
    }
  }
}

const MAX_TRIES = 3;
/** SQLSTATEs of a statement that was undone: deadlock_detected, serialization_failure. */
const UNDONE = new Set(["40P01", "40001"]);

/** Returns the SQLSTATE of a PostgreSQL error, even if it is wrapped; otherwise null. */
export function sqlState(error: unknown): string | null {
  // No SQLSTATE class begins with E, but system codes such as EPIPE do. Our own errors have longer
  // codes.
  for (const link of causes(error))
    if ("code" in link && /^(?!E)[0-9A-Z]{5}$/.test(String(link.code))) return String(link.code);
  return null;
}

/** Returns the name of the violated constraint, or null. */
export function violatedConstraint(error: unknown): string | null {
  for (const link of causes(error))
    if ("constraint_name" in link) return String(link.constraint_name);
  return null;
}

const CONNECTION_CODES = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  // SQLSTATEs: admin shutdown, crash shutdown, cannot connect now, too many connections, read-only
  // after a failover, disk full, statement and lock timeouts.
  "57P01",
  "57P02",
  "57P03",
  "53300",
  "25006",
  "53100",
  "57014",
  "55P03",
]);

/**
 * Returns the code of an error that means the server was lost, refused us, or was unreachable;
 * otherwise null.
 */
export function connectionFault(error: unknown): string | null {
  const code = errorCode(error);
  if (code === null) return null;
  return CONNECTION_CODES.has(code) || code.startsWith("08") || isConnecting(error) ? code : null;
}

/** True if the system could not connect, for example because a Unix socket is missing. */
function isConnecting(error: unknown): boolean {
  for (const link of causes(error))
    if ("syscall" in link && link.syscall === "connect") return true;
  return false;
}

/** True if a statement waited too long for a lock. The statement has changed nothing. */
export function isLockTimeout(error: unknown): boolean {
  for (const link of causes(error)) if ("code" in link && link.code === "55P03") return true;
  return false;
}

/** True if a statement was cancelled because it took too long. It has changed nothing. */
export function tookTooLong(error: unknown): boolean {
  return sqlState(error) === "57014";
}

function errorCode(error: unknown): string | null {
  for (const link of causes(error))
    if ("code" in link && typeof link.code === "string") return link.code;
  return null;
}

function* causes(error: unknown): Generator<object> {
  for (
    let link = error;
    typeof link === "object" && link !== null;
    link = "cause" in link ? link.cause : null
  )
    yield link;
}

/**
 * lock_not_available, query_canceled: a row is locked for too long, or refers to more rows than a
 * statement may read.
 */
const ROW_ERRORS = new Set(["55P03", "57014"]);

/**
 * True if a store is unavailable, so that the next row would fail too. Any other error concerns the
 * current row.
 */
export function isAway(error: unknown): boolean {
  return error instanceof ServiceUnavailableError && !ROW_ERRORS.has(sqlState(error) ?? "");
}

// The driver would query the array types on each new connection. If the connection is lost then,
// the rejection is uncaught and ends the process. PostgreSQL's built-in types have the same OIDs
// everywhere.
type Element = string | number | boolean | null | Element[];

const asText = (text: string) => text;

/** Parsers of array elements, by the OID of the array type. */
const ELEMENTS: [oids: number[], parse: (text: string) => Element][] = [
  // bool
  [[1000], (text) => text === "t"],
  // int2, int4, oid, float4, float8
  [[1005, 1007, 1028, 1021, 1022], Number],
  // name, int8, text, varchar, uuid, jsonb
  [[1003, 1016, 1009, 1015, 2951, 3807], asText],
];

/** Returns the value of the driver's option `types`. */
function arrayTypes(): Record<string, PostgresType> {
  const typeOf = (oid: number, parse: (text: string) => Element): PostgresType => ({
    to: oid,
    from: [oid],
    serialize: toLiteral,
    parse: (text: string) => parseArray(text, parse),
  });
  return Object.fromEntries(
    ELEMENTS.flatMap(([oids, parse]) => oids.map((oid) => [`array ${oid}`, typeOf(oid, parse)])),
  );
}

/** Quotes elements of every type: PostgreSQL converts each to the element type. */
function toLiteral(value: unknown): string {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return `{${value.map(toLiteral).join()}}`;
  return `"${String(value).replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Parses a one-dimensional array in PostgreSQL's text format. */
function parseArray(text: string, parse: (text: string) => Element): Element[] {
  const elements: Element[] = [];
  for (const [, quoted, plain = ""] of text
    .slice(1, -1)
    .matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)) {
    if (quoted !== undefined) elements.push(parse(quoted.replaceAll(/\\(.)/gs, "$1")));
    else elements.push(plain === "NULL" ? null : parse(plain));
  }
  return elements;
}
