import { boolean, integer, json, pgTable, text } from "drizzle-orm/pg-core";

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
