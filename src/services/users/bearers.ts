import { createHash } from "node:crypto";
import type { Fragment, Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import { available, type Database } from "../../db/database.js";
import { createMicroBatch } from "../../runtime/micro-batch.js";

/** The claims of a verified token. */
export interface Claims {
  issuer: string;
  subject: string;
  email: string;
  emailVerified: boolean;
  name: string;
  picture: string | null;
  /** The claim `iat` in seconds; 0 when the token has none. */
  issuedAt: number;
  /** The claim that makes an admin in development. */
  admin: boolean;
}

export interface UserRow {
  id: string;
  email: string;
  emailVerified: boolean;
  name: string;
  picture: string | null;
  admin: boolean;
  createdAt: string;
}

export function userColumns(sql: Sql): Fragment {
  return sql`id, email, email_verified as "emailVerified", name, picture, admin,
    rfc3339(created_at) as "createdAt"`;
}

interface Bearer {
  row: (UserRow & { claimsIssuedAt: number }) | null;
  /** Time of the latest deletion of an account of this identity, in seconds since 1970. */
  deletedAt: number | null;
}

interface Bearers {
  /**
   * Reads concurrent requests with one statement, because after a restart all users return at once.
   */
  read(claims: Claims): Promise<Bearer>;
  upsert(claims: Claims): Promise<void>;
  undo(claims: Claims, deletedAt: number | null): Promise<void>;
}

export function createBearers({ sql }: Database): Bearers {
  /**
   * Uses one statement: two concurrent first sign-ins create one user, and an older token changes
   * nothing. An existing user keeps the counters. Locking them after the users row could deadlock
   * with a deletion.
   */
  async function upsert(claims: Claims): Promise<void> {
    const id = uuidv7();
    await sql`
      with u as (
        insert into users (id, issuer, subject, email, email_verified, name, picture, admin,
          claims_issued_at, created_at)
        values (${id}, ${claims.issuer}, ${claims.subject}, ${claims.email},
          ${claims.emailVerified}, ${claims.name}, ${claims.picture}, ${claims.admin},
          ${claims.issuedAt}, now())
        on conflict (issuer, subject) do update
        set email = excluded.email, email_verified = excluded.email_verified, name = excluded.name,
          picture = excluded.picture, admin = excluded.admin,
          claims_issued_at = excluded.claims_issued_at
        where users.claims_issued_at < excluded.claims_issued_at
        returning id)
      insert into user_streams (user_id) select id from u where id = ${id}`;
  }

  /** Removes a user that an outdated token created while the account was being deleted. */
  async function undo({ issuer, subject }: Claims, deletedAt: number | null): Promise<void> {
    await sql`delete from users where issuer = ${issuer} and subject = ${subject}
      and claims_issued_at <= ${deletedAt}`;
  }

  return { read: createBearerReads(sql), upsert, undo };
}

function createBearerReads(sql: Sql): (claims: Claims) => Promise<Bearer> {
  let count = 0;

  const readMany = (claims: Claims[]) =>
    available(async (): Promise<Bearer[]> => {
      const rows = await sql<
        (UserRow & { id: string | null; claimsIssuedAt: number; deletedAt: number | null })[]
      >`
        select u.*, floor(extract(epoch from d.deleted_at))::float8 as "deletedAt"
        from unnest(${claims.map(({ issuer }) => issuer)}::text[],
          ${claims.map(({ subject }) => subject)}::text[], ${claims.map(identityOf)}::text[])
          with ordinality as i(issuer, subject, identity, place)
        left join lateral (
          select ${userColumns(sql)}, claims_issued_at::float8 as "claimsIssuedAt"
          from users where issuer = i.issuer and subject = i.subject limit 1) u on true
        left join lateral (select deleted_at from deleted_accounts where identity = i.identity
        limit 1) d on true
        order by i.place`;
      return rows.map(({ deletedAt, ...row }) => ({
        row: row.id === null ? null : row,
        deletedAt,
      }));
    });

  async function sendOne(claims: Claims): Promise<Bearer> {
    const [bearer] = await readMany([claims]);
    return bearer ?? { row: null, deletedAt: null };
  }

  return createMicroBatch<Claims, Bearer>({
    lanes: 2,
    maxItems: 100,
    laneOf: ({ subject }) => subject,
    // One batch may contain the same user twice.
    keyOf: () => String(count++),
    sendOne,
    sendMany: readMany,
  });
}

/**
 * The hash of an identity in `deleted_accounts`. Token texts contain no NUL, so the input of the
 * hash is unambiguous.
 */
export function identityOf({ issuer, subject }: { issuer: string; subject: string }): string {
  return createHash("sha256").update(`${issuer}\0${subject}`).digest("hex");
}
