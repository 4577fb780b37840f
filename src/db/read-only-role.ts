// The role for operators who look into the database. Its privileges keep it from writing and from
// secrets: it has only SELECT on views. It could change its limits, which are settings, so each
// connection sets them again.
import { createHmac, hkdfSync, pbkdf2Sync, randomBytes, createHash } from "node:crypto";
import type { Sql, TransactionSql } from "postgres";
import { sqlState } from "./database.js";

// Operators see only the columns in this list, so that a new column is hidden by default. It omits
// keys of stored files, idempotency keys and hashes of users' bytes.

export interface ReadOnlyView {
  columns: readonly string[];
  /** The table's primary key, by which the rows are paged. */
  key: readonly string[];
}

export const READ_ONLY_SCHEMA = "readonly";

/** Views by name; each has the name of its table. */
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
  workers: {
    key: ["name"],
    columns: [
      "name",
      "version",
      "revision",
      "host",
      "pid",
      "state",
      "state_since",
      "drain",
      "tasks",
      "children",
      "rss_bytes",
      "running",
      "started_at",
      "heartbeat_at",
    ],
  },
  pauses: { key: ["kind", "subject"], columns: ["kind", "subject", "at", "actor", "reason"] },
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

/** Maximum connections of all processes together. */
const CONNECTIONS = 3;
const SCRAM_ITERATIONS = 4096;
/** PostgreSQL truncates longer names. */
const MAX_NAME_LENGTH = 63;

/** Roles are shared by the whole server, so each database has its own role. */
export function readOnlyRoleName(databaseName: string): string {
  return `${databaseName.slice(0, MAX_NAME_LENGTH - "_readonly".length)}_readonly`;
}

/**
 * Derives the role's password from the owner's password, so that processes need no further secret.
 * Returns null if the URL has no password.
 */
export function readOnlyPassword(databaseUrl: string, role: string): string | null {
  const { password } = new URL(databaseUrl);
  if (password === "") return null;
  return Buffer.from(
    hkdfSync("sha256", decodeURIComponent(password), "photo-service", role, 32),
  ).toString("base64url");
}

/** Drops the views, because PostgreSQL does not alter a column that a view uses. */
export async function dropReadOnlyViews(sql: Sql | TransactionSql): Promise<void> {
  await sql.unsafe(`drop schema if exists ${READ_ONLY_SCHEMA} cascade`);
}

/**
 * Recreates the views and the role, all or nothing. If the owner may not create roles, there is no
 * role, and everything else works.
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
  // Only a superuser may set this.
  await unlessForbidden(sql, (savepoint) =>
    savepoint.unsafe(`alter role ${role} set temp_file_limit = '64MB'`),
  );
  // The role would inherit the privileges of PUBLIC.
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
 * Computes PostgreSQL's password verifier (RFC 5803) here, so that no statement or log contains the
 * password.
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
