// Operations of operators on many QueuedJobs, and a record of each of their actions.
import { sql } from "drizzle-orm";
import { check, index, integer, jsonb, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { instant, oneOf } from "./columns.js";

const ACTIONS = ["RETRY", "CANCEL", "DELETE"] as const;
const STATES = ["RUNNING", "FINISHED", "STOPPED"] as const;

/**
 * Operations on all QueuedJobs that match a search. A worker walks over the ids in ascending order.
 * Position and counts change in the same transaction as the QueuedJobs.
 */
export const operations = pgTable(
  "operations",
  {
    id: uuid().primaryKey(),
    action: text({ enum: ACTIONS }).notNull(),
    state: text({ enum: STATES }).notNull(),
    actor: text().notNull(),
    requestId: text("request_id").notNull(),
    /** The search, with ids of users instead of their e-mail addresses. */
    filter: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Number of matching rows at the start, up to a limit; null if counting took too long. */
    matched: integer(),
    done: integer().notNull().default(0),
    /** Number of rows that could not take the step, by code. */
    skipped: jsonb().$type<Record<string, number>>().notNull().default({}),
    /** Ids of rows that were locked and are visited again. */
    waiting: uuid().array().notNull().default([]),
    /** The last visited id. */
    position: uuid().notNull(),
    /** The newest QueuedJob at the start; later ones are not visited. */
    bound: uuid().notNull(),
    createdAt: instant("created_at").notNull(),
    /** Time of the last progress. */
    updatedAt: instant("updated_at").notNull(),
    finishedAt: instant("finished_at"),
  },
  (table) => [
    index("operations_running")
      .on(table.id)
      .where(sql`state = 'RUNNING'`),
    check("operations_action", sql`${table.action} in (${oneOf(ACTIONS)})`),
    check("operations_state", sql`${table.state} in (${oneOf(STATES)})`),
    check("operations_finished", sql`(${table.state} = 'RUNNING') = (${table.finishedAt} is null)`),
  ],
);

/** Who did what and when. Ids are UUIDv7, so their order is the order in time. */
export const operatorActions = pgTable("operator_actions", {
  id: uuid().primaryKey(),
  at: instant("at").notNull(),
  /** User and address of the client. */
  actor: text().notNull(),
  requestId: text("request_id").notNull(),
  action: text().notNull(),
  target: jsonb().$type<Record<string, unknown>>().notNull(),
  /** Number of objects that the action concerns; null if it is not known. */
  count: integer(),
});
