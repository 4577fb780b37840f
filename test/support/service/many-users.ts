import type { Sql } from "postgres";

/** Inserts users with events numbered from 1. `at` is an SQL expression: the time of event `i`. */
export async function insertUsersWithEvents(
  sql: Sql,
  { users, events, at }: { users: number; events: number; at: string },
): Promise<void> {
  await sql`
    insert into users (id, issuer, subject, email, email_verified, name, claims_issued_at,
      created_at)
    select gen_random_uuid(), 'many', gen_random_uuid(), 'many@example.test', true, 'n', 0, now()
      from generate_series(1, ${users})`;
  await sql`insert into user_streams (user_id, last_seq) select id, ${events} from users
    where issuer = 'many'`;
  await sql`
    insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot, bytes)
    select u.id, i, gen_random_uuid(), 'QUEUED', ${sql.unsafe(at)}, '{}', 2
      from users u, generate_series(1, ${events}) i where u.issuer = 'many'`;
  await sql`update user_streams set recorded_bytes = 2 * last_seq where user_id in (select id
    from users where issuer = 'many')`;
}
