import { available, type Database } from "../../db/database.js";
import { withoutDeadline, withTimeout } from "../../runtime/deadline.js";
import {
  createAccountErasure,
  type AccountErasure,
  type AccountErasureDeps,
} from "./erase-account.js";
import type { Users } from "./users.js";
import { identityOf } from "./bearers.js";

/** A user as an operator tells them apart: one e-mail may come from several issuers. */
export interface Account {
  id: string;
  issuer: string;
  subject: string;
  email: string;
  emailVerified: boolean;
}

export interface Accounts extends Pick<AccountErasure, "erase"> {
  /** By e-mail, in whatever case, or by id; oldest first, without those that were deleted. */
  find(by: { email: string } | { id: string }): Promise<Account[]>;
  /**
   * Closes the account at once: nothing more is recorded for it, and no token issued so far signs
   * in to it.
   */
  close(userId: string): Promise<void>;
  /**
   * Closes the account, then erases for some seconds what it had; true once all of it is gone, else
   * maintenance goes on.
   */
  remove(userId: string, options?: { forMs: number }): Promise<boolean>;
}

export interface AccountsDeps extends AccountErasureDeps {
  users: Pick<Users, "forget">;
  /** Closes what the user has open in all processes. */
  tellGone(userId: string): Promise<void>;
}

/** Somebody waits for the answer. */
const ERASE_MS = 3000;

export function createAccounts(deps: AccountsDeps): Accounts {
  const { log } = deps;
  const { sql } = deps.database;
  const { erase } = createAccountErasure(deps);

  /** What is left after this is maintenance's: the account is closed all the same. */
  async function eraseSome(userId: string, forMs: number): Promise<boolean> {
    try {
      return await withoutDeadline(() => erase(userId, { forMs }));
    } catch (error) {
      log.warn({ err: error, userId }, "a deleted account was not erased; maintenance tries again");
      return false;
    }
  }

  async function close(userId: string): Promise<void> {
    if (await closeAccount(deps.database, userId)) log.info({ userId }, "an account was closed");
    deps.users.forget(userId);
    await deps.tellGone(userId);
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

    close,
    async remove(userId, { forMs } = { forMs: ERASE_MS }) {
      await close(userId);
      // A storage that hangs does not keep the answer.
      return withTimeout(eraseSome(userId, forMs), forMs, () => false);
    },
  };
}

/**
 * Closes an account in one statement; false when it is closed already or was never there. Its
 * counters go, which every accept and transition needs, and the row loses its name and claims, so
 * that the same identity may be a new User later. Lock order: counters before users, as an accept
 * has it.
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
