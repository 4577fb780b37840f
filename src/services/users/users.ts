import { v7 as uuidv7 } from "uuid";
import { available, type Database } from "../../db/database.js";
import { UnauthenticatedError } from "../../domain/errors.js";
import { createMicroBatch } from "../../runtime/micro-batch.js";
import { identityOf } from "./identity.js";
import { createSeenUsers } from "./seen-users.js";

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

export interface User {
  id: string;
  email: string;
  name: string;
  picture: string | null;
  role: "USER" | "ADMIN";
  createdAt: Date;
}

export interface UserCounters {
  pending: number;
  storedBytes: number;
}

export interface Users {
  /**
   * The user whom the claims name, made at first sight; newer claims are taken over. Throws
   * UnauthenticatedError when the account was deleted and the token is not newer than that.
   */
  signIn(claims: Claims): Promise<User>;
  /** In the order of the ids; null where there is none. */
  findMany(ids: readonly string[]): Promise<(User | null)[]>;
  /**
   * As `findMany`, and with those whose account was deleted, without a name, while something of
   * theirs is left.
   */
  findOwners(ids: readonly string[]): Promise<(User | null)[]>;
  counters(userId: string): Promise<UserCounters>;
  /** Oldest first, from behind `afterId`. */
  page(query: { first: number; afterId: string | null }): Promise<User[]>;
  /** Exact up to `most`, and no more than that. */
  count(most: number): Promise<number>;
  /**
   * The user of an earlier sign-in as they are now; makes none. Throws UnauthenticatedError when
   * they were deleted.
   */
  refresh(user: User, claims: Claims): Promise<User>;
  /**
   * Forgets that it has seen this user lately; null: some may have been deleted, so that all are
   * asked for again soon.
   */
  forget(userId: string | null): void;
}

interface UserRow {
  id: string;
  email: string;
  emailVerified: boolean;
  name: string;
  picture: string | null;
  admin: boolean;
  createdAt: string;
}

/** What the database has of the bearer of a token. */
interface Bearer {
  row: (UserRow & { claimsIssuedAt: number }) | null;
  /** When an account of this identity was deleted last, in seconds since 1970. */
  deletedAt: number | null;
}

export function createUsers(deps: { database: Database; adminEmails: readonly string[] }): Users {
  const { sql } = deps.database;
  const adminEmails = new Set(deps.adminEmails);
  const seen = createSeenUsers<User>();
  const read = createBearerReads(deps.database);
  const columns = () =>
    sql`id, email, email_verified as "emailVerified", name, picture, admin,
      rfc3339(created_at) as "createdAt"`;
  let forgotten = 0;

  function toUser({ id, email, name, picture, createdAt, emailVerified, admin }: UserRow): User {
    const isAdmin = admin || (emailVerified && adminEmails.has(inLowerCase(email)));
    return {
      id,
      email,
      name,
      picture,
      createdAt: new Date(createdAt),
      role: isAdmin ? "ADMIN" : "USER",
    };
  }

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

  async function provision(claims: Claims): Promise<User> {
    const { row: before, deletedAt } = await read(claims);
    if (isRefused(claims, deletedAt)) throw UnauthenticatedError.accountDeleted();
    if (before && before.claimsIssuedAt >= claims.issuedAt) return toUser(before);
    await upsert(claims);
    const { row, ...now } = await read(claims);
    if (isRefused(claims, now.deletedAt)) {
      await undo(claims, now.deletedAt);
      throw UnauthenticatedError.accountDeleted();
    }
    if (!row) throw new Error("A user was deleted while signing in");
    seen.forget(row.id);
    return toUser(row);
  }

  /**
   * The account was deleted while the user was being made from a token that is too old: that one is
   * nobody.
   */
  async function undo({ issuer, subject }: Claims, deletedAt: number | null): Promise<void> {
    await sql`delete from users where issuer = ${issuer} and subject = ${subject}
      and claims_issued_at <= ${deletedAt}`;
  }

  function forget(userId: string | null): void {
    if (userId === null) return seen.distrustAll();
    forgotten++;
    seen.forget(userId);
  }

  /** What was read before somebody was forgotten may be of that one, and is not kept. */
  async function keep(key: string, reading: () => Promise<User>): Promise<User> {
    const [before, readAt] = [forgotten, Date.now()];
    try {
      const user = await reading();
      if (forgotten === before) seen.set(key, user, readAt);
      return user;
    } catch (error) {
      // A token that is too old once is so for good.
      if (error instanceof UnauthenticatedError) seen.set(key, null, readAt);
      throw error;
    }
  }

  const find = (ids: readonly string[], { closed }: { closed: boolean }) =>
    available(async (): Promise<(User | null)[]> => {
      const rows = await sql<UserRow[]>`
        select ${columns()} from users where id = any(${[...new Set(ids)]}::uuid[])
          ${closed ? sql`` : sql`and closed_at is null`}`;
      const byId = new Map(rows.map((row) => [row.id, toUser(row)]));
      return ids.map((id) => byId.get(id) ?? null);
    });
  const findMany = (ids: readonly string[]) => find(ids, { closed: false });

  return {
    async signIn(claims) {
      const user = seen.get(keyOf(claims));
      if (user === null) throw UnauthenticatedError.accountDeleted();
      // An admin is looked up each time: rights that were taken away end with the next operation.
      if (user?.role === "USER") return user;
      return keep(keyOf(claims), () => available(() => provision(claims)));
    },
    async refresh(user, claims) {
      const known = seen.get(keyOf(claims));
      if (known?.role === "USER" && known.id === user.id) return known;
      const [now] = await findMany([user.id]);
      if (!now) throw UnauthenticatedError.accountDeleted();
      return now;
    },
    findMany,
    findOwners: (ids) => find(ids, { closed: true }),
    counters: (userId) =>
      available(async () => {
        const [row] = await sql<
          UserCounters[]
        >`select pending, stored_bytes::float8 as "storedBytes" from user_streams
          where user_id = ${userId}`;
        return row ?? { pending: 0, storedBytes: 0 };
      }),
    page: ({ first, afterId }) =>
      available(async () => {
        const rows = await sql<UserRow[]>`
          select ${columns()} from users where closed_at is null
            ${afterId === null ? sql`` : sql`and id > ${afterId}`} order by id limit ${first}`;
        return rows.map(toUser);
      }),
    count: (most) =>
      available(async () => {
        const [row] = await sql<
          { n: number }[]
        >`select count(*)::int as n from (select from users where closed_at is null
          limit ${most}) few`;
        return row?.n ?? 0;
      }),
    forget,
  };
}

/** After a restart they all come back at once. */
function createBearerReads({ sql }: Database): (claims: Claims) => Promise<Bearer> {
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
          select id, email, email_verified as "emailVerified", name, picture, admin,
            rfc3339(created_at) as "createdAt", claims_issued_at::float8 as "claimsIssuedAt"
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

/** Of the very second, too: a token says no more than that. */
function isRefused({ issuedAt }: Claims, deletedAt: number | null): boolean {
  return deletedAt !== null && issuedAt <= deletedAt;
}

function keyOf({ issuer, subject, issuedAt }: Claims): string {
  // Its length first, so that no two of them read the same.
  return `${issuer.length} ${issuer} ${issuedAt} ${subject}`;
}

/** A to Z only: Unicode's lower case would make the Kelvin sign the k of another's address. */
function inLowerCase(email: string): string {
  return email.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
