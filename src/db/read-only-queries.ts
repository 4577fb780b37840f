// Runs queries that operators type, with these protections:
// - at most two queries at a time;
// - one connection per query, as the read-only role, in whose function the statement runs;
// - `begin read only`, never committed;
// - one statement per call, by the extended protocol;
// - the statement runs as a subquery, so that PostgreSQL returns each cell as short text;
// - a timeout in PostgreSQL and another one here.
import postgres, { type Sql } from "postgres";
import { withTimeout } from "../runtime/deadline.js";
import { sqlState } from "./database.js";
import { driverArguments } from "./driver-arguments.js";
import { explainRefusal, RefusedQueryError } from "./refused-query-error.js";
import {
  quoteName,
  READ_ONLY_SCHEMA,
  READ_ONLY_SETTINGS,
  readOnlyRoleName,
} from "./read-only-role.js";

export interface ReadOnlyAnswer {
  columns: { name: string; type: string }[];
  /** Cells in PostgreSQL's text format; a long cell is cut and ends in `…`. */
  rows: (string | null)[][];
  /** True if there are more rows. */
  more: boolean;
  ms: number;
}

export interface ReadOnlyQueries {
  /**
   * Throws RefusedQueryError, whose message is a sentence for the operator, and
   * ServiceUnavailableError.
   */
  run(text: string, options?: { rows?: number }): Promise<ReadOnlyAnswer>;
}

const CONCURRENCY = 2;
const DEFAULT_ROWS = 500;
const MAX_COLUMNS = 100;
const MAX_CELL = 2000;
/** Approximate maximum characters per answer. */
const MAX_ANSWER = 4_000_000;
/** Timeout for a statement that has raised the role's own limit. */
const TIMEOUT_MS = 6500;

export function createReadOnlyQueries(databaseUrl: string): ReadOnlyQueries {
  let running = 0;

  return {
    async run(text, { rows = DEFAULT_ROWS } = {}) {
      if (running >= CONCURRENCY)
        throw new RefusedQueryError(
          "Other queries are running already; try again in a moment.",
          true,
        );
      const startedAt = performance.now();
      running++;
      try {
        const { columns, cells } = await inOneTransaction(databaseUrl, (sql) =>
          answer(sql, text, rows),
        );
        return {
          columns,
          rows: cells.slice(0, rows),
          more: cells.length > rows,
          ms: performance.now() - startedAt,
        };
      } catch (error) {
        throw explainRefusal(error);
      } finally {
        running--;
      }
    },
  };
}

async function inOneTransaction<T>(
  databaseUrl: string,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres(
    ...driverArguments(databaseUrl, {
      max: 1,
      connect_timeout: 2,
      fetch_types: false,
      onnotice: () => {},
      connection: { application_name: "photo-service admin" },
    }),
  );
  try {
    await sql`begin read only`;
    await becomeReader(sql);
    await checkRole(sql);
    return await work(sql);
  } finally {
    // Nothing is committed. Locks, settings, prepared statements and notifications of the statement
    // end with its connection. PgBouncer closes it too, because its transaction is open.
    await sql.end({ timeout: 0 });
  }
}

/** Sets the limits, and gives up the privileges of the owner. */
async function becomeReader(sql: Sql): Promise<void> {
  const [row] = await sql<{ name: string }[]>`
    select current_database() as name, set_config(s.name, s.value, true)
    from jsonb_each_text(${sql.json(READ_ONLY_SETTINGS)}) as s(name, value)`;
  // Only a superuser may set this, unless it was granted.
  await sql`select set_config('temp_file_limit', '64MB', true)
    where has_parameter_privilege('temp_file_limit', 'set')`;
  const role = readOnlyRoleName(row?.name ?? "");
  await sql.unsafe(`set local role ${quoteName(role)}`).catch((error: unknown) => {
    throw CANNOT_BECOME.has(sqlState(error) ?? "") ? missingRole(role) : error;
  });
}

/** SQLSTATEs: the role does not exist, or the user of DATABASE_URL is not its member. */
const CANNOT_BECOME = new Set(["22023", "42501"]);

function missingRole(role: string): RefusedQueryError {
  const name = quoteName(role);
  return new RefusedQueryError(
    `The user of DATABASE_URL cannot become the read-only role ${name}: run npm run migrate. If ` +
      `that user may not create roles, an administrator first runs: create role ${name}; ` +
      `grant ${name} to the user of DATABASE_URL.`,
  );
}

type Answered = Pick<ReadOnlyAnswer, "columns"> & { cells: (string | null)[][] };

async function answer(sql: Sql, text: string, rows: number): Promise<Answered> {
  const statement = oneStatement(text);
  const described = await sql.unsafe(statement, []).describe();
  if (described.columns.length === 0)
    throw new RefusedQueryError("The query has no columns, so there is nothing to show.");
  if (described.columns.length > MAX_COLUMNS)
    throw new RefusedQueryError(
      `The query has ${described.columns.length} columns; at most ${MAX_COLUMNS} are allowed.`,
    );
  const types = await typeNames(
    sql,
    described.columns.map(({ type }) => type),
  );
  const columns = described.columns.map(({ name }, i) => ({ name, type: types[i] ?? "" }));
  const longest = Math.min(MAX_CELL, Math.floor(MAX_ANSWER / types.length / (rows + 1)));
  const shortened = isPlain(statement)
    ? statement
    : asShortText(statement, types, { longest, rows });
  const query = sql<{ cells: (string | null)[] }[]>`
    select run as cells from ${sql(READ_ONLY_SCHEMA)}.run(${shortened})`;
  const lines = await withTimeout(query, TIMEOUT_MS, () => {
    query.cancel();
    throw new RefusedQueryError("The query took too long and was stopped.");
  });
  return {
    columns,
    cells: lines.map(({ cells }) =>
      cells.map((cell) => (cell === null ? null : cutTo(longest, cell))),
    ),
  };
}

/**
 * Strips comments and semicolons around the statement. Throws RefusedQueryError if it is clearly
 * not a query.
 */
function oneStatement(text: string): string {
  if (text.includes("\0"))
    throw new RefusedQueryError(
      "The query contains a NUL character, which PostgreSQL does not accept.",
    );
  const statement = text
    .replace(/^(\s|;|--[^\n]*(\n|$)|\/\*([^*]|\*(?!\/))*\*\/)+/, "")
    .replace(/[\s;]+$/, "");
  if (statement === "") throw new RefusedQueryError("There is no query to run.");
  if (!/^(select|with|values|table|explain|show|\()/i.test(statement))
    throw new RefusedQueryError(
      "Only reading is allowed here: begin with SELECT, WITH, VALUES, TABLE, EXPLAIN or SHOW.",
    );
  return statement;
}

/** EXPLAIN and SHOW cannot be a subquery, and their output is short. */
function isPlain(statement: string): boolean {
  return /^(explain|show)/i.test(statement);
}

/**
 * Wraps the statement, already checked to be a single complete one, as a subquery. A subquery
 * cannot change data. Its columns are renamed, because names may occur twice.
 */
function asShortText(
  statement: string,
  types: string[],
  { longest, rows }: { longest: number; rows: number },
): string {
  const names = types.map((_, i) => `c${i + 1}`);
  // The type void, for example of pg_sleep, cannot be cast.
  const cells = types.map((type, i) =>
    type === "void" ? "null" : `left(q.${names[i]}::text, ${longest + 1})`,
  );
  return (
    `select ${cells.join(", ")} from (\n${statement}\n) as q(${names.join(", ")}) limit ` +
    `${rows + 1}`
  );
}

/** PostgreSQL counts characters, but JavaScript counts UTF-16 units. */
function cutTo(longest: number, cell: string): string {
  return cell.length <= longest || [...cell].length <= longest
    ? cell
    : `${[...cell].slice(0, longest).join("")}…`;
}

async function typeNames(sql: Sql, oids: number[]): Promise<string[]> {
  const rows = await sql<
    { name: string }[]
  >`select format_type(t.oid, null) as name from unnest(${`{${oids.join()}}`}::text::oid[]) with
    ordinality as t(oid, i) order by t.i`;
  return rows.map(({ name }) => name);
}

/**
 * Privileges are the main protection: a role that may do more than read is refused, and so is a
 * function that belongs to another role.
 */
async function checkRole(sql: Sql): Promise<void> {
  const [row] = await sql<{ strong: boolean; runs: boolean }[]>`
    select r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls
      or exists (select from pg_auth_members m where m.member = r.oid)
      or has_database_privilege(r.oid, current_database(), 'create, temporary')
      or exists (select from pg_class c where c.relnamespace not in ('pg_catalog'::regnamespace,
        'information_schema'::regnamespace) and has_table_privilege(r.oid, c.oid,
        'insert, update, delete, truncate')) as strong,
      exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = ${READ_ONLY_SCHEMA} and p.proname = 'run' and p.proowner = r.oid
          and p.prosecdef) as runs
    from pg_roles r where r.rolname = current_user`;
  if (row?.strong !== false)
    throw new RefusedQueryError(
      "The read-only role may do more than read in this database, so no query runs as " +
        "it: revoke its additional privileges, or run npm run migrate.",
    );
  if (!row.runs)
    throw new RefusedQueryError(
      "The function that runs queries as the read-only role is missing: run npm run migrate.",
    );
}
