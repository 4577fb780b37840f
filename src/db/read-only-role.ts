// The role for operators who look into the database. Its privileges keep it from writing and from
// secrets: it has only SELECT on views. It cannot log in and has no password: a connection of the
// owner becomes this role, and the role's function `run` executes what an operator typed.
import type { Sql, TransactionSql } from "postgres";
import { sqlState } from "./database.js";
import { READ_ONLY_VIEWS } from "./read-only-role/read-only-views.js";

export const READ_ONLY_SCHEMA = "readonly";

/** Settings of each transaction. */
export const READ_ONLY_SETTINGS: Readonly<Record<string, string>> = {
  search_path: READ_ONLY_SCHEMA,
  statement_timeout: "5s",
  lock_timeout: "1s",
  idle_in_transaction_session_timeout: "10s",
  work_mem: "16MB",
  max_parallel_workers_per_gather: "0",
  // The owner's sessions have it off, for its prepared statements.
  enable_seqscan: "on",
  standard_conforming_strings: "on",
  TimeZone: "UTC",
};

/** PostgreSQL truncates longer names. */
const MAX_NAME_LENGTH = 63;

/** Roles are shared by the whole server, so each database has its own role. */
export function readOnlyRoleName(databaseName: string): string {
  return `${databaseName.slice(0, MAX_NAME_LENGTH - "_readonly".length)}_readonly`;
}

/** Drops the views, because PostgreSQL does not alter a column that a view uses. */
export async function dropReadOnlyViews(sql: Sql | TransactionSql): Promise<void> {
  await sql.unsafe(`drop schema if exists ${READ_ONLY_SCHEMA} cascade`);
}

/**
 * Recreates the views, the role and its function, all or nothing. If the owner may not create the
 * role, there is no function, and everything else works.
 */
export async function renewReadOnlyRole(sql: Sql): Promise<void> {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  const databaseName = row?.name ?? "";
  await sql.begin(async (transaction) => {
    await dropReadOnlyViews(transaction);
    await transaction.unsafe(`create schema ${READ_ONLY_SCHEMA}`);
    for (const [name, { columns }] of Object.entries(READ_ONLY_VIEWS))
      await transaction.unsafe(
        `create view ${READ_ONLY_SCHEMA}.${name} as select ${columns.join(", ")} from ` +
          `public.${name}`,
      );
    await unlessForbidden(transaction, (savepoint) => renewRole(savepoint, databaseName));
  });
}

async function renewRole(sql: TransactionSql, databaseName: string): Promise<void> {
  const name = readOnlyRoleName(databaseName);
  const [role, database] = [quoteName(name), quoteName(databaseName)];
  const existing = await sql`select from pg_roles where rolname = ${name}`;
  if (existing.length === 0) await sql.unsafe(`create role ${role}`);
  // An administrator may have done both. An earlier version gave the role a password.
  for (const statement of [
    `grant ${role} to current_user`,
    `alter role ${role} nologin password null`,
  ])
    await unlessForbidden(sql, (savepoint) => savepoint.unsafe(statement));
  // The role would inherit the privileges of PUBLIC.
  await sql.unsafe(`revoke temporary on database ${database} from public`);
  await sql.unsafe(`revoke create on schema public from public`);
  await sql.unsafe(`grant usage on schema ${READ_ONLY_SCHEMA} to ${role}`);
  await sql.unsafe(`grant select on all tables in schema ${READ_ONLY_SCHEMA} to ${role}`);
  await createRun(sql, name);
}

/**
 * Creates the function that executes a statement with the privileges of the role. It is SECURITY
 * DEFINER, because PostgreSQL refuses every change of the role inside such a function.
 */
async function createRun(sql: TransactionSql, role: string): Promise<void> {
  const [run, schema] = [`${READ_ONLY_SCHEMA}.run(text)`, READ_ONLY_SCHEMA];
  await sql.unsafe(`
    create function ${schema}.run(statement text) returns setof json
    language plpgsql security definer as $run$
    declare
      line record;
    begin
      -- A restored copy belongs to the role that restored it.
      if current_user <> ${quoteText(role)} then
        raise insufficient_privilege using message = 'run does not belong to the read-only role';
      end if;
      for line in execute statement loop
        return next (select json_agg(value) from json_each_text(row_to_json(line)));
      end loop;
    end
    $run$`);
  await sql.unsafe(`revoke execute on function ${run} from public`);
  // The owner of a function needs CREATE on its schema while it becomes the owner.
  await sql.unsafe(`grant create on schema ${schema} to ${quoteName(role)}`);
  await sql.unsafe(`alter function ${run} owner to ${quoteName(role)}`);
  await sql.unsafe(`revoke create on schema ${schema} from ${quoteName(role)}`);
}

async function unlessForbidden(
  sql: TransactionSql,
  work: (savepoint: TransactionSql) => Promise<unknown>,
): Promise<void> {
  const INSUFFICIENT_PRIVILEGE = "42501";
  await sql.savepoint(work).catch((error: unknown) => {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
  });
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a text for a statement. Beware: it needs `standard_conforming_strings`. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
