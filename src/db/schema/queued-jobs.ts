// PostgreSQL is the only truth; Redis data is derived from these rows. The service creates the ids
// as UUIDv7, so their order is the order of creation. An index on (user_id, id) serves every page.
import { and, isNotNull, isNull, sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
  type ExtraConfigColumn,
} from "drizzle-orm/pg-core";
import {
  CANCEL_REASONS,
  LOGGED_EVENT_TYPES,
  QUEUED_JOB_STATUSES,
} from "../../domain/queued-job-status.js";
import { instant, oneOf } from "./columns.js";
import { users } from "./users.js";
import { photos } from "./photos.js";

const unfinished = sql`status in ('PENDING', 'STARTED')`;
const finished = sql`('SUCCESS', 'FAILED', 'CANCELLED')`;

/** Indexes and conditions of QueuedJobs in groups. */
function rulesOfMembers(
  table: Record<
    "id" | "groupId" | "groupedVersion" | "version" | "waitingFor" | "status",
    ExtraConfigColumn
  >,
) {
  return [
    index("queued_jobs_group")
      .on(table.groupId, table.status)
      .where(sql`group_id is not null`),
    index("queued_jobs_cancelling")
      .on(table.id)
      .where(sql`cancelling is not null and status in ('PENDING', 'STARTED')`),
    check(
      "queued_jobs_grouped_version",
      sql`${table.groupId} is null or coalesce(${table.groupedVersion}, 0) = ${table.version}`,
    ),
    check(
      "queued_jobs_waiting",
      sql`${table.waitingFor} = 0 or (${table.waitingFor} > 0 and ${table.status} = 'PENDING')`,
    ),
  ];
}

export const queuedJobs = pgTable(
  "queued_jobs",
  {
    id: uuid().primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    // There is no foreign key to jobs, because every accept would lock the same row there.
    // Maintenance checks it instead.
    jobName: text("job_name").notNull(),
    status: text({ enum: QUEUED_JOB_STATUSES }).notNull(),
    /**
     * Incremented each time the row returns to PENDING. It names the hint in the queue, so that an
     * old hint claims nothing.
     */
    run: integer().notNull().default(1),
    version: integer().notNull().default(1),
    /**
     * Incremented by each claim. It fences later writes: a worker that lost its lease writes
     * nothing.
     */
    attempts: integer().notNull().default(0),
    /**
     * Failed attempts since the last submission or retry; compared with the Job's `maxAttempts`.
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
     * Time from which it may be claimed: at once, at `runAt`, or after a back-off. `runAt` itself
     * keeps the submitted value.
     */
    dueAt: timestamp("due_at", { withTimezone: true }).notNull(),
    progress: doublePrecision().notNull().default(0),
    progressMessage: text("progress_message"),
    result: jsonb().$type<unknown>(),
    errorCode: text("error_code"),
    errorMessage: text("error_message"),
    idempotencyKey: text("idempotency_key"),
    /** SHA-256 of the arguments that came with the key, with raw and validated parameters. */
    fingerprint: text(),
    /** Id of the request that submitted it. */
    requestId: text("request_id").notNull(),
    reusedFrom: uuid("reused_from"),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
    startedAt: instant("started_at"),
    finishedAt: instant("finished_at"),
    expiresAt: instant("expires_at"),
    /** True if no earlier result may be reused. */
    fresh: boolean().notNull().default(false),
    /** SHA-256 of the inputs of the result; only on a success whose result may be reused. */
    reuseKey: text("reuse_key"),
    /** Without a foreign key, because its check would lock the group's row. */
    groupId: uuid("group_id"),
    /** Name within the group. */
    groupKey: text("group_key"),
    /** Position in the submission of the group, from 0. */
    groupPlace: smallint("group_place"),
    /**
     * Equals `version` in a row with a group. A statement that does not know groups, as in an
     * earlier release, therefore fails.
     */
    groupedVersion: integer("grouped_version"),
    /** Number of unfinished predecessors; 0 in a row that is not PENDING. */
    waitingFor: smallint("waiting_for").notNull().default(0),
    /** True if it runs even when a predecessor fails. */
    runsAnyway: boolean("runs_anyway").notNull().default(false),
    /** True if predecessors make some of its photos. */
    takesPhotos: boolean("takes_photos").notNull().default(false),
    /** Why the unfinished row is going to be cancelled; null if it is not. */
    cancelling: text({ enum: CANCEL_REASONS }),
  },
  (table) => [
    ...rulesOfMembers(table),
    index("queued_jobs_user_id").on(table.userId, table.id),
    uniqueIndex("queued_jobs_user_key")
      .on(table.userId, table.idempotencyKey)
      .where(sql`idempotency_key is not null`),
    // For the reconciler: it stays small for any table size.
    index("queued_jobs_due_id")
      .on(table.dueAt, table.id)
      .where(sql`status = 'PENDING'`),
    index("queued_jobs_lease")
      .on(table.leaseUntil)
      .where(sql`status = 'STARTED'`),
    // Failed and cancelled rows are rare among a user's rows; unfinished rows have their own index.
    index("queued_jobs_unsuccessful_of_user")
      .on(table.userId, table.status, table.id)
      .where(sql`status in ('FAILED', 'CANCELLED')`),
    // For searches and operations of operators.
    index("queued_jobs_unsuccessful")
      .on(table.id)
      .where(sql`status in ('FAILED', 'CANCELLED')`),
    index("queued_jobs_unfinished_of_user").on(table.userId, table.priority).where(unfinished),
    index("queued_jobs_reuse")
      .on(table.userId, table.reuseKey, table.id)
      .where(sql`reuse_key is not null`),
    index("queued_jobs_expiry")
      .on(table.expiresAt)
      .where(sql`expires_at is not null`),
    // For webhooks: finished rows that expire with others, whose time is not known yet.
    index("queued_jobs_without_expiry")
      .on(table.finishedAt)
      .where(sql`finished_at is not null and expires_at is null`),
    check("queued_jobs_status", sql`${table.status} in (${oneOf(QUEUED_JOB_STATUSES)})`),
    check("queued_jobs_progress", sql`${table.progress} between 0 and 1`),
    check("queued_jobs_priority", sql`${table.priority} between 0 and 100`),
    check(
      "queued_jobs_lease_only_started",
      sql`(${table.status} = 'STARTED') = (${table.leaseUntil} is not null)`,
    ),
    check(
      "queued_jobs_finished_times",
      sql`(${table.status} in ${finished}) = (${isNotNull(table.finishedAt)})`,
    ),
    check(
      "queued_jobs_success",
      sql`${table.status} <> 'SUCCESS' or (${table.progress} = 1 and ${table.errorCode} is null)`,
    ),
    check(
      "queued_jobs_reuse",
      sql`${table.status} = 'SUCCESS' or ${and(isNull(table.reuseKey), isNull(table.reusedFrom))}`,
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
 * The event log: append-only, numbered without a gap for each user. It has no foreign keys: DELETED
 * outlives its QueuedJob, and a key to users would lock the same row for every event. It is
 * partitioned by range of `loggedHour`, which drizzle-kit cannot express: see the migration 0012
 * and src/db/event-partitions.ts.
 */
export const queuedJobEvents = pgTable(
  "queued_job_events",
  {
    userId: uuid("user_id").notNull(),
    seq: bigint({ mode: "number" }).notNull(),
    queuedJobId: uuid("queued_job_id").notNull(),
    type: text({ enum: LOGGED_EVENT_TYPES }).notNull(),
    at: instant("at").notNull(),
    /** The QueuedJob at this step; URLs are signed when the event is sent. */
    snapshot: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Length of the snapshot as JSON text; 0 for events older than this column. */
    bytes: integer().notNull().default(0),
    /** True for a DELETED event that stands for an end which no webhook has reported. */
    unreported: boolean(),
    /** The group that the snapshot shows. */
    groupId: uuid("group_id"),
    /** The hour since 1970 in which it was inserted. Statements leave it to the default. */
    loggedHour: integer("logged_hour")
      .notNull()
      .default(sql`floor(date_part('epoch', now()) / 3600)::integer`),
  },
  (table) => [
    // The key of a partitioned table contains the partition key. Counters keep `seq` unique.
    primaryKey({ columns: [table.userId, table.seq, table.loggedHour] }),
    index("queued_job_events_job").on(table.queuedJobId, table.seq),
    index("queued_job_events_group")
      .on(table.groupId, table.seq)
      .where(sql`group_id is not null`),
    check("queued_job_events_type", sql`${table.type} in (${oneOf(LOGGED_EVENT_TYPES)})`),
  ],
);
