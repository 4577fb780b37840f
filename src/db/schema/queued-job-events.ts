import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { LOGGED_EVENT_TYPES } from "../../domain/queued-job-status.js";
import { instant, oneOf } from "./columns.js";

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
