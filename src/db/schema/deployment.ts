// What the database keeps of itself and of the workers.
import { pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/**
 * One row: what makes this database's history this one's, so that a cursor of another is
 * recognised.
 */
export const histories = pgTable("histories", { id: uuid().primaryKey().defaultRandom() });

/** Who does the upkeep: one holder at a time by compare and set, no lock held while it works. */
export const duties = pgTable("duties", {
  name: text().primaryKey(),
  holder: text().notNull(),
  heldUntil: timestamp("held_until", { withTimezone: true }).notNull(),
});
