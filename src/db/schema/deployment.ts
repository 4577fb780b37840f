// Tables about the database itself and about the workers.
import { pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

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
