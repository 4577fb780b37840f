import { LRUCache } from "lru-cache";
import { available, type Database } from "../../db/database.js";
import { UnauthenticatedError } from "../../domain/errors.js";
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

type ToUser = (row: UserRow) => User;

export function createUsers(deps: { database: Database; adminEmails: readonly string[] }): Users {
  const { sql } = deps.database;
  const toUser = createToUser(deps.adminEmails);
  const { signIn, lastSeen, forget } = createSignIn(deps.database, toUser);

  const find = (ids: readonly string[], { closed }: { closed: boolean }) =>
    available(async (): Promise<(User | null)[]> => {
      const rows = await sql<UserRow[]>`
        select ${userColumns(sql)} from users where id = any(${[...new Set(ids)]}::uuid[])
          ${closed ? sql`` : sql`and closed_at is null`}`;
      const byId = new Map(rows.map((row) => [row.id, toUser(row)]));
      return ids.map((id) => byId.get(id) ?? null);
    });
  const findMany = (ids: readonly string[]) => find(ids, { closed: false });

  return {
    signIn,
    async refresh(user, claims) {
      const known = lastSeen(claims);
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
          select ${userColumns(sql)} from users where closed_at is null
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

/** Who signs in is looked up once in a while, and remembered in between. */
function createSignIn(database: Database, toUser: ToUser) {
  const seen = createSeenUsers();
  const { read, upsert, undo } = createBearers(database);
  let forgotten = 0;

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

  return {
    lastSeen: (claims: Claims) => seen.get(keyOf(claims)),
    async signIn(claims: Claims): Promise<User> {
      const user = seen.get(keyOf(claims));
      if (user === null) throw UnauthenticatedError.accountDeleted();
      // An admin is looked up each time: rights that were taken away end with the next operation.
      if (user?.role === "USER") return user;
      return keep(keyOf(claims), () => available(() => provision(claims)));
    },
    forget(userId: string | null): void {
      if (userId === null) return seen.distrustAll();
      forgotten++;
      seen.forget(userId);
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

/**
 * Who the bearers of tokens were when the database was asked last; bounded, and for a minute only.
 */
interface SeenUsers {
  /** The user; null when the token was refused; undefined when the database is to be asked. */
  get(key: string): User | null | undefined;
  /** `readAt`: when the database was asked, by `now`. */
  set(key: string, user: User | null, readAt: number): void;
  /** Of this user nothing is remembered any more. */
  forget(userId: string): void;
  /**
   * Some users may have been deleted unnoticed: all are asked for again, each a little later than
   * the other.
   */
  distrustAll(): void;
}

interface Sighting {
  user: User | null;
  readAt: number;
  /** How long after a miss this one is trusted still. */
  spreadMs: number;
}

const MAX_SEEN = 20_000;
const TRUSTED_MS = 60_000;
/** Asking for all at once would be a herd, in every process at the same moment. */
const SPREAD_MS = 10_000;

export function createSeenUsers({ now = Date.now }: { now?: () => number } = {}): SeenUsers {
  const keysOf = new Map<string, Set<string>>();
  const seen = new LRUCache<string, Sighting>({
    max: MAX_SEEN,
    dispose: ({ user }, key) => void (user && unindex(user.id, key)),
  });
  /** When notifications of deleted users may have been missed, oldest first. */
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
