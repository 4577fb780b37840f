import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type PostgresType, type Sql } from "postgres";
import { ServiceUnavailableError } from "../domain/errors.js";
import { ConnectionPool, type PoolLimits } from "./connection-pool.js";
import { routeStatements } from "./statement.js";

export interface Database {
  /** Query builder, for reads and for writes that are no transition. */
  orm: PostgresJsDatabase;
  /**
   * Hand-written statements, prepared by name. Beware: Drizzle has taken the serialisers of this
   * client over, so that instants come back as text and go in as text, and JSON goes in as text.
   */
  sql: Sql;
  /** Statements and transactions that wait for a connection now. */
  readonly waiting: number;
  /** Resolves when PostgreSQL answers; throws ServiceUnavailableError otherwise. */
  ping(): Promise<void>;
  /**
   * For rows of another user: closes the connection that returned them, reports it, and returns
   * what to throw.
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
}

/** `waitMs` and `answerMs` together are less than an operation has. */
const LIMITS: PoolLimits = { maxWaiting: 500, waitMs: 2000, answerMs: 7000 };

/** Opens nothing before the first statement; a lost server is found again by the next one. */
export function createDatabase(options: DatabaseOptions): Database {
  // It makes the statements and sends none; those that send them share its types.
  const client = postgres(options.url, {
    connect_timeout: 2,
    idle_timeout: 60,
    backoff: (attempt: number) => Math.min(0.1 * 2 ** attempt, 1),
    onnotice: () => {},
    fetch_types: false,
    types: arrayTypes(),
    connection: {
      application_name: options.applicationName,
      TimeZone: "UTC",
      // A plan made while a table was small outlives its growth: rows are found by an index. What
      // has none would look expensive enough to be compiled.
      enable_seqscan: "off",
      jit: "off",
      statement_timeout: 5000,
      lock_timeout: 4000,
      idle_in_transaction_session_timeout: 10_000,
    },
  });
  const open = () =>
    postgres({ ...client.options, max: 1 } as unknown as postgres.Options<
      Record<string, postgres.PostgresType>
    >);
  const pool = new ConnectionPool({
    open,
    connections: options.connections,
    limits: { ...LIMITS, ...options.limits },
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
        "The database gave a wrong answer; try again in a moment.",
      );
      pool.distrust(rows);
      options.onForeignRows?.(error);
      return error;
    },
    close: () => pool.close(),
  };
}

/**
 * Runs `query`; a lost or refused connection becomes ServiceUnavailableError, whatever library it
 * went through. A deadlock or a serialisation failure has undone the statement as a whole: it is
 * run again.
 */
export async function available<T>(query: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await query();
    } catch (error) {
      for (const link of causes(error)) if (link instanceof ServiceUnavailableError) throw link;
      if (connectionFault(error) !== null)
        throw new ServiceUnavailableError("The database is away; try again in a moment.", {
          cause: error,
        });
      if (tries === MAX_TRIES || !UNDONE.has(sqlState(error) ?? "")) throw error;
    }
  }
}

const MAX_TRIES = 3;
/** deadlock_detected, serialization_failure */
const UNDONE = new Set(["40P01", "40001"]);

/** The SQLSTATE of an error of PostgreSQL, however deep it is wrapped; null when it is none. */
export function sqlState(error: unknown): string | null {
  const code = errorCode(error);
  // No class of them begins with E, as EPIPE does.
  return code !== null && /^(?!E)[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** The name of the violated constraint; null when none was. */
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
  // admin shutdown, crash shutdown, cannot connect now, too many connections, read-only after a
  // failover, disk full, statement and lock time-outs
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
 * The code of an error by which a server was lost, refused us, or was never reached; null when it
 * is none.
 */
export function connectionFault(error: unknown): string | null {
  const code = errorCode(error);
  return code !== null && (CONNECTION_CODES.has(code) || code.startsWith("08")) ? code : null;
}

/** Somebody else held a lock for longer than a statement may wait for it. It has done nothing. */
export function isLockTimeout(error: unknown): boolean {
  for (const link of causes(error)) if ("code" in link && link.code === "55P03") return true;
  return false;
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
 * lock_not_available, query_canceled: a row is locked for long, or has more behind it than a
 * statement may read.
 */
const ABOUT_A_ROW = new Set(["55P03", "57014"]);

/**
 * Whether a store is away, so that the next row would fail alike; other faults are of the row in
 * hand.
 */
export function isAway(error: unknown): boolean {
  return error instanceof ServiceUnavailableError && !ABOUT_A_ROW.has(sqlState(error) ?? "");
}

// The driver would ask each new connection for the types of arrays, and nothing catches the
// rejection when the connection is lost in that moment: it would end the process. PostgreSQL's own
// types have the same numbers everywhere.
type Element = string | number | boolean | null | Element[];

const asText = (text: string) => text;

/** How the elements of arrays are read, by the number of the array's type. */
const ELEMENTS: [oids: number[], parse: (text: string) => Element][] = [
  // bool
  [[1000], (text) => text === "t"],
  // int2, int4, oid, float4, float8
  [[1005, 1007, 1028, 1021, 1022], Number],
  // name, int8, text, varchar, uuid, jsonb
  [[1003, 1016, 1009, 1015, 2951, 3807], asText],
];

/** For the option `types` of the driver. */
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

/** Quoted, whatever the type: PostgreSQL reads each element as its own. */
function toLiteral(value: unknown): string {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return `{${value.map(toLiteral).join()}}`;
  return `"${String(value).replaceAll(/["\\]/g, "\\$&")}"`;
}

/** An array of one dimension, as PostgreSQL writes it. */
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
