// The role of people who look into the database. That it cannot write, and sees no secret, is a
// matter of its rights: it has SELECT on views, and nothing else. Its limits are settings, which it
// could change; they are set for each connection, too.
import { createHmac, hkdfSync, pbkdf2Sync, randomBytes, createHash } from "node:crypto";
import type { Sql, TransactionSql } from "postgres";
import { sqlState } from "./database.js";

// What people who look into the database may see: a list of what is shown, so that a column is
// hidden until somebody decides otherwise. Left out are what opens or forges something (keys of
// stored files, idempotency keys) and hashes of people's bytes.

export interface ReadOnlyView {
  columns: readonly string[];
  /** What its rows are paged by: the table's primary key. */
  key: readonly string[];
}

export const READ_ONLY_SCHEMA = "readonly";

/** A view for each table, of the table's name. */
export const READ_ONLY_VIEWS: Readonly<Record<string, ReadOnlyView>> = {
  users: {
    key: ["id"],
    columns: [
      "id",
      "issuer",
      "subject",
      "email",
      "email_verified",
      "name",
      "picture",
      "admin",
      "claims_issued_at",
      "created_at",
      "closed_at",
    ],
  },
  deleted_accounts: { key: ["identity"], columns: ["identity", "deleted_at"] },
  user_streams: {
    key: ["user_id"],
    columns: ["user_id", "last_seq", "floor_seq", "pending", "stored_bytes", "recorded_bytes"],
  },
  jobs: {
    key: ["name"],
    columns: [
      "name",
      "title",
      "description",
      "parameter_schema",
      "result_schema",
      "min_photos",
      "max_photos",
      "max_attempts",
      "timeout_ms",
      "offered",
    ],
  },
  photos: {
    key: ["id"],
    columns: [
      "id",
      "user_id",
      "filename",
      "mime_type",
      "width",
      "height",
      "byte_size",
      "thumbhash",
      "preview_attempts",
      "created_at",
    ],
  },
  queued_jobs: {
    key: ["id"],
    columns: [
      "id",
      "user_id",
      "job_name",
      "status",
      "run",
      "version",
      "attempts",
      "failures",
      "stalls",
      "lease_until",
      "worker",
      "parameters",
      "photo_count",
      "priority",
      "run_at",
      "due_at",
      "progress",
      "progress_message",
      "result",
      "error_code",
      "error_message",
      "request_id",
      "fresh",
      "reused_from",
      "created_at",
      "updated_at",
      "started_at",
      "finished_at",
      "expires_at",
    ],
  },
  queued_job_photos: {
    key: ["queued_job_id", "position"],
    columns: ["queued_job_id", "position", "photo_id"],
  },
  queued_job_outputs: {
    key: ["queued_job_id", "position"],
    columns: ["queued_job_id", "position", "name", "mime_type", "byte_size", "width", "height"],
  },
  queued_job_events: {
    key: ["user_id", "seq"],
    columns: ["user_id", "seq", "queued_job_id", "type", "at", "snapshot", "bytes"],
  },
  duties: { key: ["name"], columns: ["name", "holder", "held_until"] },
};

export const READ_ONLY_SETTINGS = {
  search_path: READ_ONLY_SCHEMA,
  default_transaction_read_only: "on",
  statement_timeout: 5000,
  lock_timeout: 1000,
  idle_in_transaction_session_timeout: 10_000,
  work_mem: "16MB",
  max_parallel_workers_per_gather: "0",
} as const;

/** Of all processes together. */
const CONNECTIONS = 3;
const SCRAM_ITERATIONS = 4096;
/** PostgreSQL cuts longer names. */
const LONGEST_NAME = 63;

/** Roles belong to the whole server: each database on it has one of its own. */
export function readOnlyRoleName(databaseName: string): string {
  return `${databaseName.slice(0, LONGEST_NAME - "_readonly".length)}_readonly`;
}

/**
 * The password of the role, which whoever knows the owner's password can work out, and nobody else;
 * so that the processes need no further secret. Null when the URL has no password to make it of.
 */
export function readOnlyPassword(databaseUrl: string, role: string): string | null {
  const { password } = new URL(databaseUrl);
  if (password === "") return null;
  return Buffer.from(
    hkdfSync("sha256", decodeURIComponent(password), "photo-service", role, 32),
  ).toString("base64url");
}

/** What stands in a migration's way: PostgreSQL drops and changes no column that a view shows. */
export async function dropReadOnlyViews(sql: Sql | TransactionSql): Promise<void> {
  await sql.unsafe(`drop schema if exists ${READ_ONLY_SCHEMA} cascade`);
}

/**
 * Makes the views and the role anew, all or nothing. Where the owner may not make roles there will
 * be none, and the rest works.
 */
export async function renewReadOnlyRole(sql: Sql, databaseUrl: string): Promise<void> {
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
    await unlessForbidden(transaction, (savepoint) =>
      renewRole(savepoint, databaseName, databaseUrl),
    );
  });
}

async function renewRole(
  sql: TransactionSql,
  databaseName: string,
  databaseUrl: string,
): Promise<void> {
  const name = readOnlyRoleName(databaseName);
  const [role, database] = [quote(name), quote(databaseName)];
  if ((await sql`select from pg_roles where rolname = ${name}`).length === 0)
    await sql.unsafe(`create role ${role}`);
  const password = readOnlyPassword(databaseUrl, name);
  await sql.unsafe(
    `alter role ${role} with ${password === null ? "nologin" : "login"} connection limit ` +
      `${CONNECTIONS} password ` +
      `${password === null ? "null" : `'${scramVerifier(password)}'`}`,
  );
  for (const [setting, value] of Object.entries(READ_ONLY_SETTINGS))
    await sql.unsafe(`alter role ${role} set ${setting} = '${value}'`);
  // Only a superuser may give this one.
  await unlessForbidden(sql, (savepoint) =>
    savepoint.unsafe(`alter role ${role} set temp_file_limit = '64MB'`),
  );
  // What everybody has, it would have, too.
  await sql.unsafe(`revoke temporary on database ${database} from public`);
  await sql.unsafe(`revoke create on schema public from public`);
  await sql.unsafe(`grant connect on database ${database} to ${role}`);
  await sql.unsafe(`grant usage on schema ${READ_ONLY_SCHEMA} to ${role}`);
  await sql.unsafe(`grant select on all tables in schema ${READ_ONLY_SCHEMA} to ${role}`);
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

/**
 * What PostgreSQL keeps of a password (RFC 5803), made here so that the password itself stands in
 * no statement and in no log.
 */
function scramVerifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const serverKey = hmac("Server Key").toString("base64");
  const saltText = salt.toString("base64");
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${saltText}$${storedKey}:${serverKey}`;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
