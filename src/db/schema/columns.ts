import { sql } from "drizzle-orm";
import { timestamp } from "drizzle-orm/pg-core";

// Milliseconds, since a JavaScript date holds no more. Never order by one of these: by id or by
// seq.
export const instant = (name: string) => timestamp(name, { precision: 3, withTimezone: true });
export const oneOf = (words: readonly string[]) =>
  sql.raw(words.map((word) => `'${word}'`).join(", "));
