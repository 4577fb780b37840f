import { drizzle } from "drizzle-orm/postgres-js";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import type { Sql } from "postgres";
import { ServiceUnavailableError } from "../errors.js";
import { withPatience } from "../patience.js";
import { endLateStatements } from "./end-late-statements.js";

export interface Database {
  /** Query builder, for reads and for writes that are no transition. */
  orm: PostgresJsDatabase;
  /**
   * Hand-written statements, prepared by name. Beware: Drizzle has taken the serialisers of this client over, so that
   * instants come back as text and go in as text, and JSON goes in as text.
   */
  sql: Sql;
  /** Resolves when PostgreSQL answers; throws ServiceUnavailableError otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A pool of `connections`. Nothing is opened before the first query, a lost server is found again by the next one, and what an operation asks ends with its deadline. */
export function createDatabase(options: { url: string; connections: number; applicationName: string }): Database {
  const client = postgres(options.url, {
    max: options.connections,
    connect_timeout: 2,
    idle_timeout: 60,
    max_lifetime: 30 * 60,
    backoff: (attempt: number) => Math.min(0.1 * 2 ** attempt, 1),
    onnotice: () => {},
    connection: { application_name: options.applicationName, TimeZone: "UTC", statement_timeout: 5000, lock_timeout: 4000, idle_in_transaction_session_timeout: 10_000 },
  });
  const sql = endLateStatements(client);
  const orm = drizzle({ client: sql });
  return {
    orm,
    sql,
    ping: () => available(async () => void (await sql`select 1`)),
    // Without a limit `end` hangs for ever after a connection was lost in mid-query.
    close: () => sql.end({ timeout: 5 }),
  };
}

/**
 * Runs `query`; a lost or refused connection becomes ServiceUnavailableError, whatever library it went through. A deadlock
 * or a serialisation failure has undone the statement as a whole: it is run again.
 */
export async function available<T>(query: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await withPatience(query(), DEADLINE_MS, doesNotAnswer);
    } catch (error) {
      if (connectionFault(error) !== null) throw new ServiceUnavailableError("The database is away; try again in a moment.", { cause: error });
      if (tries === MAX_TRIES || !UNDONE.has(sqlState(error) ?? "")) throw error;
    }
  }
}

/** A server that is there but does not answer: its own limits do not reach us. */
const DEADLINE_MS = 7000;

function doesNotAnswer(): never {
  throw new ServiceUnavailableError("The database does not answer; try again in a moment.");
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
  for (const link of causes(error)) if ("constraint_name" in link) return String(link.constraint_name);
  return null;
}

const CONNECTION_CODES = new Set([
  "CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED", "CONNECT_TIMEOUT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH",
  // admin shutdown, crash shutdown, cannot connect now, too many connections, read-only after a failover, disk full, statement and lock time-outs
  "57P01", "57P02", "57P03", "53300", "25006", "53100", "57014", "55P03",
]);

/** The code of an error by which a server was lost, refused us, or was never reached; null when it is none. */
export function connectionFault(error: unknown): string | null {
  const code = errorCode(error);
  return code !== null && (CONNECTION_CODES.has(code) || code.startsWith("08")) ? code : null;
}

function errorCode(error: unknown): string | null {
  for (const link of causes(error)) if ("code" in link && typeof link.code === "string") return link.code;
  return null;
}

function* causes(error: unknown): Generator<object> {
  for (let link = error; typeof link === "object" && link !== null; link = "cause" in link ? link.cause : null) yield link;
}
