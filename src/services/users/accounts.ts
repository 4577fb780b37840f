import { available, type Database } from "../../db/database.js";
import { withoutDeadline, withTimeout } from "../../runtime/deadline.js";
import {
  createAccountErasure,
  type AccountErasure,
  type AccountErasureDeps,
} from "./erase-account.js";
import type { Users } from "./users.js";
import { identityOf } from "./bearers.js";

/** A user as operators see it: several issuers may report the same e-mail address. */
export interface Account {
  id: string;
  issuer: string;
  subject: string;
  email: string;
  emailVerified: boolean;
}

/** Amount of data that is deleted with an account. */
export interface AccountContents {
  photos: number;
  queuedJobs: number;
  unfinished: number;
  storedBytes: number;
}

export interface Accounts extends Pick<AccountErasure, "erase"> {
  /**
   * Finds accounts by id or by e-mail, ignoring case. Sorted oldest first, without deleted
   * accounts.
   */
  find(by: { email: string } | { id: string }): Promise<Account[]>;
  contents(userId: string): Promise<AccountContents>;
  /**
   * Closes the account at once: nothing more is recorded for it, and tokens issued so far are
   * refused.
   */
  close(userId: string): Promise<void>;
  /**
   * Closes the account, then erases its data for a few seconds. Returns true once all data is gone;
   * otherwise maintenance continues.
   */
  remove(userId: string, options?: { forMs: number }): Promise<boolean>;
}

export interface AccountsDeps extends AccountErasureDeps {
  users: Pick<Users, "forget">;
  /** Closes the connections of this user in all processes. */
  publishGone(userId: string): Promise<void>;
}

/** Short, because a client waits for the answer. */
const ERASE_MS = 3000;

export function createAccounts(deps: AccountsDeps): Accounts {
  const { log } = deps;
  const { sql } = deps.database;
  const { erase } = createAccountErasure(deps);

  /**
   * Erases what it can in time. The account is closed in any case, and maintenance erases the rest.
   */
  async function eraseSome(userId: string, forMs: number): Promise<boolean> {
    try {
      return await withoutDeadline(() => erase(userId, { forMs }));
    } catch (error) {
      log.warn({ err: error, userId }, "a deleted account was not erased; maintenance retries");
      return false;
    }
  }

  async function close(userId: string): Promise<void> {
    if (await closeAccount(deps.database, userId)) log.info({ userId }, "an account was closed");
    deps.users.forget(userId);
    await deps.publishGone(userId);
  }

  return {
    erase,
    find: (by) =>
      available(async () => [
        ...(await sql<Account[]>`
          select id, issuer, subject, email, email_verified as "emailVerified" from users
          where ${"id" in by ? sql`id = ${by.id}` : sql`lower(email) = lower(${by.email})`}
            and closed_at is null order by id`),
      ]),

    contents: (userId) =>
      available(async () => {
        const [row] = await sql<AccountContents[]>`
          select pending as unfinished, stored_bytes::float8 as "storedBytes",
            (select count(*)::int from photos where user_id = ${userId}) as photos,
            (select count(*)::int from queued_jobs where user_id = ${userId}) as "queuedJobs"
          from user_streams where user_id = ${userId}`;
        return row ?? { photos: 0, queuedJobs: 0, unfinished: 0, storedBytes: 0 };
      }),
    close,
    async remove(userId, { forMs } = { forMs: ERASE_MS }) {
      await close(userId);
      // A storage that hangs must not delay the answer.
      return withTimeout(eraseSome(userId, forMs), forMs, () => false);
    },
  };
}

/**
 * Closes an account in one statement; returns false when it is already closed or never existed. It
 * deletes the counters, which every accept and transition needs. It also clears the name and
 * claims, so that the same identity can become a new User later. Lock order: counters before users,
 * as in an accept.
 */
export async function closeAccount({ sql }: Database, userId: string): Promise<boolean> {
  return available(async () => {
    const [user] = await sql<{ issuer: string; subject: string }[]>`
      select issuer, subject from users where id = ${userId} and closed_at is null`;
    if (!user) return false;
    const closed = await sql`
      with s as (delete from user_streams where user_id = ${userId} returning user_id),
      u as (
        update users set issuer = '', subject = id::text, email = '', email_verified = false,
          name = '', picture = null,
          admin = false, claims_issued_at = 0, closed_at = clock_timestamp()
        from (select count(*) from s) counters where id = ${userId} and closed_at is null
          returning closed_at)
      insert into deleted_accounts (identity, deleted_at) select ${identityOf(user)}, closed_at
        from u
      on conflict (identity) do update set deleted_at = excluded.deleted_at returning identity`;
    return closed.length > 0;
  });
}
