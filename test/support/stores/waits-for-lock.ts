import type { Sql } from "postgres";
import { eventually } from "../runner/eventually.js";

/** Resolves when a statement of this database waits for a lock of another one. */
export const waitsForLock = (sql: Sql): Promise<unknown> =>
  eventually(
    "a statement waits for a lock",
    async () =>
      (
        await sql`select from pg_stat_activity where datname = current_database()
          and wait_event_type = 'Lock'`
      ).length > 0,
  );
