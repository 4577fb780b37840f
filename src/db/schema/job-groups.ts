// Groups of QueuedJobs and the order in which their members run.
import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { instant } from "./columns.js";
import { queuedJobs } from "./queued-jobs.js";
import { users } from "./users.js";

export const jobGroups = pgTable(
  "job_groups",
  {
    id: uuid().primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    name: text(),
    total: integer().notNull(),
    // Numbers of members by status; each step of a member changes them in its own statement.
    pending: integer().notNull(),
    started: integer().notNull().default(0),
    succeeded: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    cancelled: integer().notNull().default(0),
    idempotencyKey: text("idempotency_key"),
    fingerprint: text(),
    createdAt: instant("created_at").notNull(),
    finishedAt: instant("finished_at"),
    /** When the group and its members are purged; null until all members have finished. */
    expiresAt: instant("expires_at"),
    /** Set when the removal of the members begins; the group is invisible from then on. */
    deletedAt: instant("deleted_at"),
  },
  (table) => [
    index("job_groups_user_id").on(table.userId, table.id),
    uniqueIndex("job_groups_user_key")
      .on(table.userId, table.idempotencyKey)
      .where(sql`idempotency_key is not null`),
    index("job_groups_expiry")
      .on(table.expiresAt)
      .where(sql`expires_at is not null`),
    check(
      "job_groups_counts",
      sql`least(${table.pending}, ${table.started}, ${table.succeeded}, ${table.failed},
        ${table.cancelled}) >= 0 and ${table.total} = ${table.pending} + ${table.started} +
        ${table.succeeded} + ${table.failed} + ${table.cancelled}`,
    ),
    check(
      "job_groups_finished",
      sql`(${table.pending} + ${table.started} = 0) = (${table.finishedAt} is not null)`,
    ),
  ],
);

/** Which members must finish before another one runs. Rows are never changed. */
export const queuedJobPredecessors = pgTable(
  "queued_job_predecessors",
  {
    queuedJobId: uuid("queued_job_id").notNull(),
    /** Without a foreign key, the missing row of a deleted predecessor stays noticeable. */
    predecessorId: uuid("predecessor_id").notNull(),
    /** Order in which its pictures are passed on. */
    position: smallint().notNull(),
    /** True if the pictures of the predecessor become photos. */
    takesPhotos: boolean("takes_photos").notNull(),
    /** Names of the outputs to pass on; null for all pictures. */
    outputs: text().array(),
  },
  (table) => [
    primaryKey({ columns: [table.predecessorId, table.queuedJobId] }),
    foreignKey({
      name: "queued_job_predecessors_queued_job",
      columns: [table.queuedJobId],
      foreignColumns: [queuedJobs.id],
    }).onDelete("cascade"),
    index("queued_job_predecessors_successor").on(table.queuedJobId),
  ],
);
