// Webhooks: a durable position in each user's event log, and the state of the receiver. Nothing
// here is written by accepting, running or reporting jobs.
import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { instant } from "./columns.js";
import { users } from "./users.js";

/** The one receiver, as a single row, which a worker with WEBHOOK_URL creates. */
export const webhookReceivers = pgTable(
  "webhook_receivers",
  {
    id: smallint().primaryKey(),
    /** Earlier events are not delivered, unless an operator orders it. */
    startedAt: instant("started_at").notNull(),
    pausedAt: instant("paused_at"),
    /** The operator, or the answer, that paused all deliveries. */
    pausedBy: text("paused_by"),
    /** Time until which the receiver wants no requests (`retry-after`). */
    holdUntil: timestamp("hold_until", { withTimezone: true }),
    lastSuccessAt: timestamp("last_success_at", { withTimezone: true }),
  },
  (table) => [check("webhook_receivers_one", sql`${table.id} = 1`)],
);

/**
 * The position of each user's deliveries. Users without a newer event than the first start have no
 * row.
 */
export const webhookPositions = pgTable(
  "webhook_positions",
  {
    userId: uuid("user_id")
      .primaryKey()
      .references(() => users.id, { onDelete: "cascade" }),
    /** Number of the last event that is delivered or needs no delivery. */
    seq: bigint({ mode: "number" }).notNull(),
    /** Time of the next delivery; null while nothing waits. */
    dueAt: timestamp("due_at", { withTimezone: true }),
    /** Time of the oldest event that waits, as far as it is known. */
    waitingSince: instant("waiting_since"),
    /** Unique name of the holder of the lease; fences its writes. */
    holder: text(),
    leasedUntil: timestamp("leased_until", { withTimezone: true }),
    /** Failed attempts of the next event. */
    attempts: integer().notNull().default(0),
    failingSince: timestamp("failing_since", { withTimezone: true }),
    pausedAt: instant("paused_at"),
    /** The operator, or the reason, that paused this user's deliveries. */
    pausedBy: text("paused_by"),
    lastAt: instant("last_at"),
    lastStatus: smallint("last_status"),
    lastReason: text("last_reason"),
    /** Start of the last answer's body. */
    lastBody: text("last_body"),
    /** Numbers of events that expired before their delivery. */
    missed: bigint({ mode: "number" }).notNull().default(0),
  },
  (table) => [
    index("webhook_positions_due")
      .on(table.dueAt)
      .where(sql`due_at is not null and paused_at is null`),
    // For operators: the users whose deliveries fail, are paused or have a gap.
    index("webhook_positions_troubled")
      .on(table.userId)
      .where(sql`attempts > 0 or paused_at is not null or missed > 0`),
  ],
);
