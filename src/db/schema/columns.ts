import { sql } from "drizzle-orm";
import { timestamp } from "drizzle-orm/pg-core";

// Precision is milliseconds, like a JavaScript Date. Never order by such a column: order by id or
// seq.
export const instant = (name: string) => timestamp(name, { precision: 3, withTimezone: true });
export const oneOf = (words: readonly string[]) =>
  sql.raw(words.map((word) => `'${word}'`).join(", "));
