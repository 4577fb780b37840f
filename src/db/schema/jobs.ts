import { boolean, integer, json, pgTable, text } from "drizzle-orm/pg-core";

/** The catalogue, which `migrate` updates from the tasks. A Job without a task keeps its row. */
export const jobs = pgTable("jobs", {
  name: text().primaryKey(),
  title: text().notNull(),
  description: text().notNull(),
  // json keeps the order of keys, in which forms are drawn; jsonb does not.
  parameterSchema: json("parameter_schema").$type<Record<string, unknown>>().notNull(),
  resultSchema: json("result_schema").$type<Record<string, unknown>>().notNull(),
  minPhotos: integer("min_photos").notNull(),
  maxPhotos: integer("max_photos").notNull(),
  maxAttempts: integer("max_attempts").notNull(),
  timeoutMs: integer("timeout_ms").notNull(),
  /** True if the catalogue had a task of this name at the last `migrate`. */
  offered: boolean().notNull(),
});
