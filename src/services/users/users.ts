import { LRUCache } from "lru-cache";
import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import { UnauthenticatedError } from "../../domain/errors.js";
import { idArray } from "../reads/ids.js";
import { cutPage, type Page, type PageRange } from "../reads/page.js";
import { createBearers, userColumns, type Claims, type UserRow } from "./bearers.js";

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
   * Returns the user of the claims, and creates it at the first sign-in. Newer claims update the
   * user. Throws UnauthenticatedError when the account was deleted and the token is not newer than
   * the deletion.
   */
  signIn(claims: Claims): Promise<User>;
  /** Returns the users in the order of the ids; null for an unknown id. */
  findMany(ids: readonly string[]): Promise<(User | null)[]>;
  /**
   * Like `findMany`, but includes deleted accounts, without a name, as long as some of their data
   * exists.
   */
  findOwners(ids: readonly string[]): Promise<(User | null)[]>;
  counters(userId: string): Promise<UserCounters>;
  /** Returns a page of users, oldest first. */
  page(range: PageRange): Promise<Page<User>>;
  /** Counts users, but stops at `most`. */
  count(most: number): Promise<number>;
  /**
   * Returns the current state of a user who signed in earlier, and never creates one. Throws
   * UnauthenticatedError when the account was deleted.
   */
  refresh(user: User, claims: Claims): Promise<User>;
  /**
   * Removes a user from the cache. With null, any user may have been deleted, so all are read again
   * soon.
   */
  forget(userId: string | null): void;
}

type ToUser = (row: UserRow) => User;

export function createUsers(deps: { database: Database; adminEmails: readonly string[] }): Users {
  const { sql } = deps.database;
  const toUser = createToUser(deps.adminEmails);
  const { signIn, lastSeen, forget } = createSignIn(deps.database, toUser);

  const find = (ids: readonly string[], { closed }: { closed: boolean }) =>
    available(async (): Promise<(User | null)[]> => {
      const rows = await sql<UserRow[]>`
        select ${userColumns(sql)} from users where id = any(${idArray(sql, ids)})
          ${closed ? sql`` : sql`and closed_at is null`}`;
      const byId = new Map(rows.map((row) => [row.id, toUser(row)]));
      return ids.map((id) => byId.get(id) ?? null);
    });
  const findMany = (ids: readonly string[]) => find(ids, { closed: false });

  return {
    signIn,
    async refresh(user, claims) {
      const cached = lastSeen(claims);
      if (cached?.role === "USER" && cached.id === user.id) return cached;
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
    page: (range) =>
      available(async () => {
        const rows = await readAround(sql, range);
        return cutPage(rows.map(toUser), range, { keyOf: ({ id }) => id, descending: false });
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

/** Reads the page, and with a key also the nearest user behind it. */
async function readAround(sql: Sql, { size, backward, key }: PageRange): Promise<UserRow[]> {
  const users = sql`select * from users where closed_at is null`;
  const [ahead, back] = backward ? [sql`desc`, sql`asc`] : [sql`asc`, sql`desc`];
  const [past, upTo] = backward ? [sql`<`, sql`>=`] : [sql`>`, sql`<=`];
  const beyond = key === null ? sql`` : sql`and id ${past} ${key}`;
  const page = sql`(${users} ${beyond} order by id ${ahead} limit ${size + 1})`;
  const behind = sql`(${users} and id ${upTo} ${key} order by id ${back} limit 1)`;
  return sql<UserRow[]>`select ${userColumns(sql)} from
    (${page} ${key === null ? sql`` : sql`union all ${behind}`}) users order by id`;
}

/** Looks a bearer up once in a while and caches the user in between. */
function createSignIn(database: Database, toUser: ToUser) {
  const cache = createSeenUsers();
  const { read, upsert, undo } = createBearers(database);
  let forgetCount = 0;

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
    cache.forget(row.id);
    return toUser(row);
  }

  /** Caches a user, unless a user was forgotten during the read: it could be this one. */
  async function keep(key: string, reading: () => Promise<User>): Promise<User> {
    const [before, readAt] = [forgetCount, Date.now()];
    try {
      const user = await reading();
      if (forgetCount === before) cache.set(key, user, readAt);
      return user;
    } catch (error) {
      // A token that is too old stays too old.
      if (error instanceof UnauthenticatedError) cache.set(key, null, readAt);
      throw error;
    }
  }

  return {
    lastSeen: (claims: Claims) => cache.get(keyOf(claims)),
    async signIn(claims: Claims): Promise<User> {
      const user = cache.get(keyOf(claims));
      if (user === null) throw UnauthenticatedError.accountDeleted();
      // Admins are looked up each time, so that a revoked right ends with the next operation.
      if (user?.role === "USER") return user;
      return keep(keyOf(claims), () => available(() => provision(claims)));
    },
    forget(userId: string | null): void {
      if (userId === null) return cache.distrustAll();
      forgetCount++;
      cache.forget(userId);
    },
  };
}

function createToUser(emails: readonly string[]): ToUser {
  const adminEmails = new Set(emails);
  return ({ id, email, name, picture, createdAt, emailVerified, admin }) => {
    const isAdmin = admin || (emailVerified && adminEmails.has(inLowerCase(email)));
    return {
      id,
      email,
      name,
      picture,
      createdAt: new Date(createdAt),
      role: isAdmin ? "ADMIN" : "USER",
    };
  };
}

/** Includes the same second, because `iat` has no finer resolution. */
function isRefused({ issuedAt }: Claims, deletedAt: number | null): boolean {
  return deletedAt !== null && issuedAt <= deletedAt;
}

function keyOf({ issuer, subject, issuedAt }: Claims): string {
  // Starts with the length of the issuer, so that two identities never produce the same key.
  return `${issuer.length} ${issuer} ${issuedAt} ${subject}`;
}

/** Changes only A to Z: Unicode would turn the Kelvin sign into the letter k of another address. */
function inLowerCase(email: string): string {
  return email.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A bounded cache of recently seen bearers; entries are valid for at most one minute. */
interface SeenUsers {
  /** The user; null for a refused token; undefined when the database must be read. */
  get(key: string): User | null | undefined;
  /** `readAt` is the time of the database read, by the clock `now`. */
  set(key: string, user: User | null, readAt: number): void;
  forget(userId: string): void;
  /**
   * Marks all entries as doubtful, since some deletions may have been missed. They expire at spread
   * times, to avoid a burst of reads.
   */
  distrustAll(): void;
}

interface Sighting {
  user: User | null;
  readAt: number;
  /** Time after a missed notification for which this entry is still trusted. */
  spreadMs: number;
}

const MAX_SEEN = 20_000;
const TRUSTED_MS = 60_000;
/** Without a spread, every process would read all users at the same moment. */
const SPREAD_MS = 10_000;

export function createSeenUsers({ now = Date.now }: { now?: () => number } = {}): SeenUsers {
  const keysOf = new Map<string, Set<string>>();
  const seen = new LRUCache<string, Sighting>({
    max: MAX_SEEN,
    dispose: ({ user }, key) => void (user && unindex(user.id, key)),
  });
  /** Times at which deletion notifications may have been missed, oldest first. */
  let misses: number[] = [];

  function unindex(userId: string, key: string): void {
    const keys = keysOf.get(userId);
    keys?.delete(key);
    if (keys?.size === 0) keysOf.delete(userId);
  }

  function isTrusted({ readAt, spreadMs }: Sighting): boolean {
    const missedAt = misses.find((at) => at >= readAt);
    return now() - readAt < TRUSTED_MS && (missedAt === undefined || now() - missedAt < spreadMs);
  }

  return {
    get(key) {
      const sighting = seen.get(key);
      if (sighting && isTrusted(sighting)) return sighting.user;
      if (sighting) seen.delete(key);
      return undefined;
    },
    set(key, user, readAt) {
      seen.set(key, { user, readAt, spreadMs: Math.random() * SPREAD_MS });
      if (!user) return;
      const keys = keysOf.get(user.id) ?? new Set();
      keysOf.set(user.id, keys.add(key));
    },
    forget(userId) {
      for (const key of keysOf.get(userId) ?? []) seen.delete(key);
    },
    distrustAll() {
      misses = [...misses.filter((at) => now() - at < TRUSTED_MS), now()];
    },
  };
}
