// What the database has of the bearers of tokens.
import { createHash } from "node:crypto";
import type { Fragment, Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import { available, type Database } from "../../db/database.js";
import { createMicroBatch } from "../../runtime/micro-batch.js";

/** What a verified token says of its bearer. */
export interface Claims {
  issuer: string;
  subject: string;
  email: string;
  emailVerified: boolean;
  name: string;
  picture: string | null;
  /** `iat` in seconds; 0 where the token has none. */
  issuedAt: number;
  /** The development claim. */
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
  /** When an account of this identity was deleted last, in seconds since 1970. */
  deletedAt: number | null;
}

interface Bearers {
  /** Those asked for at the same time with one statement: after a restart all come back. */
  read(claims: Claims): Promise<Bearer>;
  upsert(claims: Claims): Promise<void>;
  undo(claims: Claims, deletedAt: number | null): Promise<void>;
}

export function createBearers({ sql }: Database): Bearers {
  /**
   * One statement; a race of two first sights ends in one user, and an older token changes nothing.
   * Who is there already keeps their counters: to touch them behind the row would deadlock with a
   * deletion.
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

  /**
   * The account was deleted while the user was being made from a token that is too old: that one is
   * nobody.
   */
  async function undo({ issuer, subject }: Claims, deletedAt: number | null): Promise<void> {
    await sql`delete from users where issuer = ${issuer} and subject = ${subject}
      and claims_issued_at <= ${deletedAt}`;
  }

  return { read: createBearerReads(sql), upsert, undo };
}

function createBearerReads(sql: Sql): (claims: Claims) => Promise<Bearer> {
  let asked = 0;

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
    // The same user may be asked for twice in one.
    keyOf: () => String(asked++),
    sendOne,
    sendMany: readMany,
  });
}

/**
 * What `deleted_accounts` has of an identity. No text of a token holds a NUL, so no two of them
 * read the same.
 */
export function identityOf({ issuer, subject }: { issuer: string; subject: string }): string {
  return createHash("sha256").update(`${issuer}\0${subject}`).digest("hex");
}
