import { available } from "../db/database.js";
import type { Database } from "../db/database.js";
import type { Logger } from "../logger.js";
import type { Users } from "./users.js";

export interface Accounts {
  /** The user and all that is theirs: rows, events and files. What still runs finds no row to write to. */
  remove(userId: string): Promise<void>;
}

export function createAccounts(deps: { database: Database; users: Users; deleteFiles(storageKeys: string[]): Promise<void>; tellGone(userId: string): void; log: Logger }): Accounts {
  const { sql } = deps.database;

  return {
    async remove(userId) {
      const keys = await available(() => sql.begin(async (tx) => {
        // Rows, then the counter, as everywhere; from here on nothing can be added that is not seen below.
        await tx`select from queued_jobs where user_id = ${userId} order by id for update`;
        await tx`select from user_streams where user_id = ${userId} for update`;
        const rows = await tx<{ key: string }[]>`
          select storage_key as key from photos where user_id = ${userId}
          union all select preview_key from photos where user_id = ${userId} and preview_key is not null
          union all select o.storage_key from queued_job_outputs o join queued_jobs q on q.id = o.queued_job_id where q.user_id = ${userId}`;
        await tx`delete from users where id = ${userId}`;
        return rows.map((row) => row.key);
      }));
      deps.users.forget(userId);
      deps.tellGone(userId);
      deps.log.info({ userId, files: keys.length }, "a user was deleted");
      await deps.deleteFiles(keys).catch((error) => deps.log.warn({ err: error, userId }, "files of a deleted user are left over"));
    },
  };
}
