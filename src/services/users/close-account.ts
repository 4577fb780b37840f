import { available, type Database } from "../../db/database.js";
import { identityOf } from "./bearers.js";

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
