import { LRUCache } from "lru-cache";
import { asc, count, eq, gt, sql as part } from "drizzle-orm";
import { v7 as uuidv7 } from "uuid";
import { available } from "../db/database.js";
import type { Database } from "../db/database.js";
import { userStreams, users } from "../db/schema.js";
import { UnauthenticatedError } from "../errors.js";
import { createMicroBatch } from "../micro-batch.js";
import { inChunks } from "./ids.js";

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
  /** The user whom the claims name, made at first sight; newer claims are taken over. */
  signIn(claims: Claims): Promise<User>;
  /** In the order of the ids; null where there is none. */
  findMany(ids: readonly string[]): Promise<(User | null)[]>;
  counters(userId: string): Promise<UserCounters>;
  /** Oldest first, from behind `afterId`. */
  page(query: { first: number; afterId: string | null }): Promise<User[]>;
  /** Exact up to `most`, and no more than that. */
  count(most: number): Promise<number>;
  /** The user of an earlier sign-in as they are now; makes none. Throws UnauthenticatedError when they were deleted. */
  refresh(user: User, claims: Claims): Promise<User>;
  /** Forgets that it has seen this user lately; null for all users. */
  forget(userId: string | null): void;
}

type UserRow = typeof users.$inferSelect;

/** How long a user is taken as known without asking the database. */
const KNOWN_MS = 60_000;

export function createUsers(deps: { database: Database; adminEmails: readonly string[] }): Users {
  const { orm, sql } = deps.database;
  const adminEmails = new Set(deps.adminEmails);
  const known = new LRUCache<string, User>({ max: 20_000, ttl: KNOWN_MS });
  let asked = 0;
  let forgotten = 0;

  const byIds = orm.select().from(users).where(part`${users.id} = any(${part.placeholder("ids")}::uuid[])`).prepare("users_by_ids");
  const bySubjects = orm
    .select()
    .from(users)
    .where(part`${users.issuer} = any(${part.placeholder("issuers")}::text[]) and ${users.subject} = any(${part.placeholder("subjects")}::text[])`)
    .prepare("users_by_subjects");

  function toUser({ id, email, name, picture, createdAt, emailVerified, admin }: UserRow): User {
    const isAdmin = admin || (emailVerified && adminEmails.has(inLowerCase(email)));
    return { id, email, name, picture, createdAt, role: isAdmin ? "ADMIN" : "USER" };
  }

  /** One statement; a race of two first sights ends in one user, and an older token changes nothing. */
  async function upsert(claims: Claims): Promise<void> {
    const id = uuidv7();
    await sql`
      with u as (
        insert into users (id, issuer, subject, email, email_verified, name, picture, admin, claims_issued_at, created_at)
        values (${id}, ${claims.issuer}, ${claims.subject}, ${claims.email}, ${claims.emailVerified}, ${claims.name}, ${claims.picture}, ${claims.admin}, ${claims.issuedAt}, now())
        on conflict (issuer, subject) do update set email = excluded.email, email_verified = excluded.email_verified, name = excluded.name,
          picture = excluded.picture, admin = excluded.admin, claims_issued_at = excluded.claims_issued_at
        where users.claims_issued_at < excluded.claims_issued_at
        returning id)
      insert into user_streams (user_id) select id from u on conflict do nothing`;
  }

  async function readMany(claims: Claims[]): Promise<(UserRow | undefined)[]> {
    const [issuers, subjects] = [[...new Set(claims.map(({ issuer }) => issuer))], claims.map(({ subject }) => subject)];
    const rows = await available(() => bySubjects.execute({ issuers, subjects }));
    return claims.map(({ issuer, subject }) => rows.find((row) => row.issuer === issuer && row.subject === subject));
  }

  /** After a restart they all come back at once. */
  const read = createMicroBatch<Claims, UserRow | undefined>({
    lanes: 2,
    maxItems: 100,
    laneOf: ({ subject }) => subject,
    // The same user may be asked for twice in one.
    keyOf: () => String(asked++),
    sendOne: async (claims) => (await readMany([claims]))[0],
    sendMany: readMany,
  });

  async function provision(claims: Claims): Promise<User> {
    const seen = await read(claims);
    if (seen && seen.claimsIssuedAt >= claims.issuedAt) return toUser(seen);
    await upsert(claims);
    const row = await read(claims);
    if (!row) throw new Error("A user was deleted while signing in");
    drop(row.id);
    return toUser(row);
  }

  function forget(userId: string | null): void {
    forgotten++;
    if (userId === null) known.clear();
    else drop(userId);
  }

  function drop(userId: string): void {
    for (const [key, user] of known.entries()) if (user.id === userId) known.delete(key);
  }

  /** What was read before somebody was forgotten may be of that one, and is not kept. */
  async function keep(key: string, reading: () => Promise<User>): Promise<User> {
    const before = forgotten;
    const user = await reading();
    if (forgotten === before) known.set(key, user);
    return user;
  }

  async function findMany(ids: readonly string[]): Promise<(User | null)[]> {
    const rows = await inChunks(ids, (some) => available(() => byIds.execute({ ids: some })));
    const byId = new Map(rows.map((row) => [row.id, toUser(row)]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  return {
    async signIn(claims) {
      const user = known.get(keyOf(claims));
      // An admin is looked up each time: rights that were taken away end with the next operation.
      if (user?.role === "USER") return user;
      return keep(keyOf(claims), () => available(() => provision(claims)));
    },
    async refresh(user, claims) {
      const seen = known.get(keyOf(claims));
      if (seen?.role === "USER" && seen.id === user.id) return seen;
      const [now] = await findMany([user.id]);
      if (!now) throw UnauthenticatedError.accountDeleted();
      return now;
    },
    findMany,
    counters: (userId) =>
      available(async () => {
        const [row] = await orm.select({ pending: userStreams.pending, storedBytes: userStreams.storedBytes }).from(userStreams).where(eq(userStreams.userId, userId));
        return row ?? { pending: 0, storedBytes: 0 };
      }),
    page: ({ first, afterId }) =>
      available(async () => {
        const rows = await orm.select().from(users).where(afterId === null ? undefined : gt(users.id, afterId)).orderBy(asc(users.id)).limit(first);
        return rows.map(toUser);
      }),
    count: (most) =>
      available(async () => {
        const few = orm.select({ id: users.id }).from(users).limit(most).as("few");
        const [row] = await orm.select({ n: count() }).from(few);
        return row?.n ?? 0;
      }),
    forget,
  };
}

function keyOf({ issuer, subject, issuedAt }: Claims): string {
  // Its length first, so that no two of them read the same.
  return `${issuer.length} ${issuer} ${issuedAt} ${subject}`;
}

/** A to Z only: Unicode's lower case would make the Kelvin sign the k of another's address. */
function inLowerCase(email: string): string {
  return email.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
