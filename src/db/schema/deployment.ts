// Tables about the database itself, about the workers, and about orders of operators.
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { instant, oneOf } from "./columns.js";

/**
 * Holds one row that identifies this database's history, so that a cursor of another database is
 * recognised.
 */
export const histories = pgTable("histories", { id: uuid().primaryKey().defaultRandom() });

/**
 * Holders of maintenance duties: one at a time by compare and set, without a lock during the work.
 */
export const duties = pgTable("duties", {
  name: text().primaryKey(),
  holder: text().notNull(),
  heldUntil: timestamp("held_until", { withTimezone: true }).notNull(),
});

/** States that a worker process reports; one without heartbeats is shown as lost. */
export const WORKER_STATES = ["running", "draining", "stopped"] as const;

/** Worker processes, each of which renews its row by heartbeats. */
export const workers = pgTable(
  "workers",
  {
    /** Unique name of the process, as in `queued_jobs.worker`. */
    name: text().primaryKey(),
    version: text().notNull(),
    revision: text(),
    host: text().notNull(),
    pid: integer().notNull(),
    state: text({ enum: WORKER_STATES }).notNull(),
    stateSince: instant("state_since").notNull(),
    /** True from an operator's order to drain until it is withdrawn. */
    drain: boolean().notNull().default(false),
    /** Maximum tasks at once in the process. */
    tasks: integer().notNull(),
    /** Maximum tasks at once in its children, in addition to those. */
    children: integer().notNull(),
    rssBytes: bigint("rss_bytes", { mode: "number" }).notNull(),
    /** Ids of QueuedJobs that it ran at its last heartbeat; bounded. */
    running: uuid().array().notNull(),
    startedAt: instant("started_at").notNull(),
    heartbeatAt: timestamp("heartbeat_at", { withTimezone: true }).notNull(),
  },
  (table) => [check("workers_state", sql`${table.state} in (${oneOf(WORKER_STATES)})`)],
);

/** Leases of worker processes, each for all attempts of the worker. */
export const workerLeases = pgTable("worker_leases", {
  /** As in `queued_jobs.worker`. */
  worker: text().primaryKey(),
  validUntil: timestamp("valid_until", { withTimezone: true }).notNull(),
  /** Ids of the QueuedJobs whose current attempts it includes. */
  queuedJobIds: uuid("queued_job_ids").array().notNull(),
});

export const PAUSE_KINDS = ["JOB", "USER"] as const;

/** Jobs and users whose waiting QueuedJobs do not start until an operator resumes them. */
export const pauses = pgTable(
  "pauses",
  {
    kind: text({ enum: PAUSE_KINDS }).notNull(),
    /** Name of the Job, or id of the user. */
    subject: text().notNull(),
    at: instant("at").notNull(),
    actor: text().notNull(),
    reason: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.kind, table.subject] }),
    check("pauses_kind", sql`${table.kind} in (${oneOf(PAUSE_KINDS)})`),
  ],
);
