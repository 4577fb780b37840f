// The tables. PostgreSQL is the only truth; what stands in Redis is made from these rows. Ids are
// UUIDv7, made by the service, so that a list ordered by id is ordered by creation, and an index on
// (user_id, id) serves every page.
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  json,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { LOGGED_EVENT_TYPES, QUEUED_JOB_STATUSES } from "../domain/queued-job-status.js";

// Milliseconds, since a JavaScript date holds no more. Never order by one of these: by id or by
// seq.
const instant = (name: string) => timestamp(name, { precision: 3, withTimezone: true });
const oneOf = (words: readonly string[]) => sql.raw(words.map((word) => `'${word}'`).join(", "));
const SUCCESS = sql`'SUCCESS'`;
const FINISHED = sql`('SUCCESS', 'FAILED', 'CANCELLED')`;
const unfinished = sql`status in ('PENDING', 'STARTED')`;

/**
 * One row: what makes this database's history this one's, so that a cursor of another is
 * recognised.
 */
export const histories = pgTable("histories", { id: uuid().primaryKey().defaultRandom() });

export const users = pgTable(
  "users",
  {
    id: uuid().primaryKey(),
    issuer: text().notNull(),
    subject: text().notNull(),
    email: text().notNull(),
    emailVerified: boolean("email_verified").notNull(),
    name: text().notNull(),
    picture: text(),
    /** Of the development claim `admin`. */
    admin: boolean().notNull().default(false),
    /** `iat` of the token that the claims are from, in seconds. */
    claimsIssuedAt: bigint("claims_issued_at", { mode: "number" }).notNull(),
    createdAt: instant("created_at").notNull(),
    /**
     * When the account was deleted. From then on it has no name, no claims and no row in
     * `user_streams`, so nothing more can be recorded for it; its other rows and files are removed
     * in slices, and this row last.
     */
    closedAt: instant("closed_at"),
  },
  (table) => [
    unique("users_issuer_subject").on(table.issuer, table.subject),
    index("users_email").on(sql`lower(${table.email})`),
    index("users_closed")
      .on(table.id)
      .where(sql`closed_at is not null`),
  ],
);

/** Identities whose account was deleted: a token issued before then does not sign in again. */
export const deletedAccounts = pgTable("deleted_accounts", {
  /** SHA-256 of issuer and subject, hex: the table names nobody. */
  identity: text().primaryKey(),
  deletedAt: instant("deleted_at").notNull(),
});

/** The counters of a user, apart from `users` because every accept and transition updates them. */
export const userStreams = pgTable(
  "user_streams",
  {
    userId: uuid("user_id")
      .primaryKey()
      .references(() => users.id, { onDelete: "cascade" }),
    /** The number of the user's last event. */
    lastSeq: bigint("last_seq", { mode: "number" }).notNull().default(0),
    /** The highest number that was ever purged; a stream cannot be resumed from below it. */
    floorSeq: bigint("floor_seq", { mode: "number" }).notNull().default(0),
    /** Unfinished QueuedJobs. */
    pending: integer().notNull().default(0),
    /** Bytes of photos and outputs. */
    storedBytes: bigint("stored_bytes", { mode: "number" }).notNull().default(0),
    /** Bytes of parameters, results and event snapshots, each as JSON text. */
    recordedBytes: bigint("recorded_bytes", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    check("user_streams_pending", sql`${table.pending} >= 0`),
    check("user_streams_floor", sql`${table.floorSeq} <= ${table.lastSeq}`),
  ],
);

/**
 * The catalogue, brought in step with the tasks by `migrate`. A Job whose task is gone keeps its
 * row.
 */
export const jobs = pgTable("jobs", {
  name: text().primaryKey(),
  title: text().notNull(),
  description: text().notNull(),
  // json, not jsonb, which forgets the order of the keys: forms are drawn in it.
  parameterSchema: json("parameter_schema").$type<Record<string, unknown>>().notNull(),
  resultSchema: json("result_schema").$type<Record<string, unknown>>().notNull(),
  minPhotos: integer("min_photos").notNull(),
  maxPhotos: integer("max_photos").notNull(),
  maxAttempts: integer("max_attempts").notNull(),
  timeoutMs: integer("timeout_ms").notNull(),
  /** Whether a task of this name was in the catalogue at the last `migrate`. */
  offered: boolean().notNull(),
});

export const photos = pgTable(
  "photos",
  {
    id: uuid().primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    filename: text().notNull(),
    mimeType: text("mime_type").notNull(),
    /** Of the upright picture. */
    width: integer().notNull(),
    height: integer().notNull(),
    byteSize: bigint("byte_size", { mode: "number" }).notNull(),
    sha256: text().notNull(),
    storageKey: text("storage_key").notNull(),
    previewKey: text("preview_key"),
    thumbhash: text(),
    /** The perceptual hash as a signed 64-bit number; null for a flat picture or one without. */
    phash: bigint({ mode: "bigint" }),
    createdAt: instant("created_at").notNull(),
    /** How often a preview was tried for in vain since the upload. */
    previewAttempts: smallint("preview_attempts").notNull().default(0),
  },
  (table) => [
    uniqueIndex("photos_user_sha256").on(table.userId, table.sha256),
    index("photos_user_id").on(table.userId, table.id),
    // The id along with it: all hashes of a user are read from the index alone.
    index("photos_user_phash").on(table.userId, table.phash, table.id),
    index("photos_without_preview")
      .on(table.previewAttempts, table.id)
      .where(sql`preview_key is null and preview_attempts < 3`),
  ],
);

export const queuedJobs = pgTable(
  "queued_jobs",
  {
    id: uuid().primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    // No foreign key to jobs: every accept would lock the same row there. Maintenance checks it
    // instead.
    jobName: text("job_name").notNull(),
    status: text({ enum: QUEUED_JOB_STATUSES }).notNull(),
    /**
     * Grows each time the row goes back to PENDING, and names the hint in the queue: an old hint
     * claims nothing.
     */
    run: integer().notNull().default(1),
    version: integer().notNull().default(1),
    /**
     * Grows with each claim, and fences what a worker writes later: one that came back from the
     * dead writes nothing.
     */
    attempts: integer().notNull().default(0),
    /**
     * Failed attempts since the last submission or retry; the Job's `maxAttempts` is compared with
     * it.
     */
    failures: integer().notNull().default(0),
    /** Attempts lost with their worker since the last submission or retry. */
    stalls: integer().notNull().default(0),
    leaseUntil: timestamp("lease_until", { withTimezone: true }),
    worker: text(),
    parameters: jsonb().$type<Record<string, unknown>>().notNull(),
    photoCount: integer("photo_count").notNull(),
    priority: smallint().notNull(),
    runAt: instant("run_at"),
    /**
     * When it may be claimed: at once, at `runAt`, or after a back-off. Apart from `runAt`, which
     * is shown as it was given.
     */
    dueAt: timestamp("due_at", { withTimezone: true }).notNull(),
    progress: doublePrecision().notNull().default(0),
    progressMessage: text("progress_message"),
    result: jsonb().$type<unknown>(),
    errorCode: text("error_code"),
    errorMessage: text("error_message"),
    idempotencyKey: text("idempotency_key"),
    /**
     * SHA-256 of the arguments that came with the key, with the parameters as given and as
     * validated.
     */
    fingerprint: text(),
    /** Of the request that submitted it. */
    requestId: text("request_id").notNull(),
    reusedFrom: uuid("reused_from"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
    startedAt: instant("started_at"),
    finishedAt: instant("finished_at"),
    expiresAt: instant("expires_at"),
    /** The work is to be done, whatever could be reused. */
    fresh: boolean().notNull().default(false),
    /** SHA-256 of what the result was made from; on a success whose result may be reused only. */
    reuseKey: text("reuse_key"),
  },
  (table) => [
    index("queued_jobs_user_id").on(table.userId, table.id),
    uniqueIndex("queued_jobs_user_key")
      .on(table.userId, table.idempotencyKey)
      .where(sql`idempotency_key is not null`),
    // The reconciler's: small, whatever the table's size.
    index("queued_jobs_due_id")
      .on(table.dueAt, table.id)
      .where(sql`status = 'PENDING'`),
    index("queued_jobs_lease")
      .on(table.leaseUntil)
      .where(sql`status = 'STARTED'`),
    // What is rare among a user's many rows; the unfinished have an index of their own.
    index("queued_jobs_unsuccessful_of_user")
      .on(table.userId, table.status, table.id)
      .where(sql`status in ('FAILED', 'CANCELLED')`),
    index("queued_jobs_unfinished_of_user").on(table.userId, table.priority).where(unfinished),
    index("queued_jobs_reuse")
      .on(table.userId, table.reuseKey, table.id)
      .where(sql`reuse_key is not null`),
    index("queued_jobs_expiry")
      .on(table.expiresAt)
      .where(sql`expires_at is not null`),
    check("queued_jobs_status", sql`${table.status} in (${oneOf(QUEUED_JOB_STATUSES)})`),
    check("queued_jobs_progress", sql`${table.progress} between 0 and 1`),
    check("queued_jobs_priority", sql`${table.priority} between 0 and 100`),
    check(
      "queued_jobs_lease_only_started",
      sql`(${table.status} = 'STARTED') = (${table.leaseUntil} is not null)`,
    ),
    check(
      "queued_jobs_finished_times",
      // Beware: a line break within the text would make another migration.
      sql`(${table.status} in ${FINISHED}) = (${table.finishedAt} is not null)`,
    ),
    check(
      "queued_jobs_success",
      sql`${table.status} <> 'SUCCESS' or (${table.progress} = 1 and ${table.errorCode} is null)`,
    ),
    check(
      "queued_jobs_reuse",
      sql`${table.status} = ${SUCCESS} or (${table.reuseKey} is null and ${table.reusedFrom} is null)`,
    ),
    check("queued_jobs_failed", sql`${table.status} <> 'FAILED' or ${table.errorCode} is not null`),
    check(
      "queued_jobs_key_with_fingerprint",
      sql`(${table.idempotencyKey} is null) = (${table.fingerprint} is null)`,
    ),
  ],
);

export const queuedJobPhotos = pgTable(
  "queued_job_photos",
  {
    queuedJobId: uuid("queued_job_id").notNull(),
    position: integer().notNull(),
    photoId: uuid("photo_id").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.queuedJobId, table.position] }),
    foreignKey({
      name: "queued_job_photos_queued_job",
      columns: [table.queuedJobId],
      foreignColumns: [queuedJobs.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "queued_job_photos_photo",
      columns: [table.photoId],
      foreignColumns: [photos.id],
    }).onDelete("cascade"),
    index("queued_job_photos_photo_job").on(table.photoId, table.queuedJobId),
  ],
);

export const queuedJobOutputs = pgTable(
  "queued_job_outputs",
  {
    queuedJobId: uuid("queued_job_id").notNull(),
    position: integer().notNull(),
    name: text().notNull(),
    mimeType: text("mime_type").notNull(),
    byteSize: bigint("byte_size", { mode: "number" }).notNull(),
    width: integer(),
    height: integer(),
    storageKey: text("storage_key").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.queuedJobId, table.position] }),
    foreignKey({
      name: "queued_job_outputs_queued_job",
      columns: [table.queuedJobId],
      foreignColumns: [queuedJobs.id],
    }).onDelete("cascade"),
    unique("queued_job_outputs_name").on(table.queuedJobId, table.name),
  ],
);

/**
 * The log: append-only, numbered without a gap for each user. No foreign keys: DELETED outlives its
 * QueuedJob, and a key to users would lock the same row for every event.
 */
export const queuedJobEvents = pgTable(
  "queued_job_events",
  {
    userId: uuid("user_id").notNull(),
    seq: bigint({ mode: "number" }).notNull(),
    queuedJobId: uuid("queued_job_id").notNull(),
    type: text({ enum: LOGGED_EVENT_TYPES }).notNull(),
    at: instant("at").notNull(),
    /** The QueuedJob as it was at this step; URLs are signed when it is told. */
    snapshot: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Length of the snapshot as JSON text; 0 for events from before it was counted. */
    bytes: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.seq] }),
    index("queued_job_events_job").on(table.queuedJobId, table.seq),
    check("queued_job_events_type", sql`${table.type} in (${oneOf(LOGGED_EVENT_TYPES)})`),
  ],
);

/** Who does the upkeep: one holder at a time by compare and set, no lock held while it works. */
export const duties = pgTable("duties", {
  name: text().primaryKey(),
  holder: text().notNull(),
  heldUntil: timestamp("held_until", { withTimezone: true }).notNull(),
});
