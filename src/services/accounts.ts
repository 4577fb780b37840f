import { available } from "../db/database.js";
import type { Database } from "../db/database.js";
import type { Logger } from "../logger.js";
import type { Users } from "./users.js";

/** A user as an operator tells them apart: one e-mail may come from several issuers. */
export interface Account {
  id: string;
  issuer: string;
  subject: string;
  email: string;
  emailVerified: boolean;
}

export interface Accounts {
  /** By e-mail, in whatever case, or by id; oldest first. */
  find(by: { email: string } | { id: string }): Promise<Account[]>;
  /** The user and all that is theirs: rows, events and files. What still runs is told to stop, and finds no row to write to. */
  remove(userId: string): Promise<void>;
}

export interface AccountsDeps {
  database: Database;
  users: Pick<Users, "forget">;
  deleteFiles(storageKeys: string[]): Promise<void>;
  stopWork(queuedJobIds: string[]): void;
  tellGone(userId: string): Promise<void>;
  log: Logger;
}

export function createAccounts(deps: AccountsDeps): Accounts {
  const { sql } = deps.database;

  /** Returns what has no row any more: the keys of files, and the ids of what was running. */
  async function removeRows(userId: string): Promise<{ keys: string[]; running: string[] }> {
    return sql.begin(async (tx) => {
      // Rows, then the counter, as everywhere; from here on nothing can be added that is not seen below.
      const jobs = await tx<{ id: string; status: string }[]>`select id, status from queued_jobs where user_id = ${userId} order by id for update`;
      await tx`select from user_streams where user_id = ${userId} for update`;
      const files = await tx<{ key: string }[]>`
        select storage_key as key from photos where user_id = ${userId}
        union all select preview_key from photos where user_id = ${userId} and preview_key is not null
        union all select o.storage_key from queued_job_outputs o join queued_jobs q on q.id = o.queued_job_id where q.user_id = ${userId}`;
      await tx`delete from queued_job_events where user_id = ${userId}`;
      await tx`delete from users where id = ${userId}`;
      return { keys: files.map((file) => file.key), running: jobs.filter((job) => job.status === "STARTED").map((job) => job.id) };
    });
  }

  return {
    find: (by) =>
      available(async () => [
        ...(await sql<Account[]>`
          select id, issuer, subject, email, email_verified as "emailVerified" from users
          where ${"id" in by ? sql`id = ${by.id}` : sql`lower(email) = lower(${by.email})`} order by id`),
      ]),

    async remove(userId) {
      const { keys, running } = await available(() => removeRows(userId));
      deps.users.forget(userId);
      deps.stopWork(running);
      await deps.tellGone(userId);
      deps.log.info({ userId, files: keys.length, running: running.length }, "a user was deleted");
      await deps.deleteFiles(keys).catch((error) => deps.log.warn({ err: error, userId }, "files of a deleted user are left over"));
    },
  };
}
