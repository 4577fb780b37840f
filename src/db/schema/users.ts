import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { instant } from "./columns.js";

export const users = pgTable(
  "users",
  {
    id: uuid().primaryKey(),
    issuer: text().notNull(),
    subject: text().notNull(),
    email: text().notNull(),
    emailVerified: boolean("email_verified").notNull(),
    name: text().notNull(),
    picture: text(),
    /** Value of the development claim `admin`. */
    admin: boolean().notNull().default(false),
    /** `iat` in seconds of the token with these claims. */
    claimsIssuedAt: bigint("claims_issued_at", { mode: "number" }).notNull(),
    createdAt: instant("created_at").notNull(),
    /**
     * Time when the account was deleted. From then on it has no name, no claims and no row in
     * `user_streams`, so nothing new is recorded. Its other rows and files are removed in batches,
     * and this row last.
     */
    closedAt: instant("closed_at"),
  },
  (table) => [
    unique("users_issuer_subject").on(table.issuer, table.subject),
    index("users_email").on(sql`lower(${table.email})`),
    index("users_closed")
      .on(table.id)
      .where(sql`closed_at is not null`),
  ],
);

/** Identities of deleted accounts: a token issued before the deletion cannot sign in again. */
export const deletedAccounts = pgTable("deleted_accounts", {
  /** SHA-256 of issuer and subject in hex, so that the table names no person. */
  identity: text().primaryKey(),
  deletedAt: instant("deleted_at").notNull(),
});

/** Counters of a user, separate from `users` because every accept and transition updates them. */
export const userStreams = pgTable(
  "user_streams",
  {
    userId: uuid("user_id")
      .primaryKey()
      .references(() => users.id, { onDelete: "cascade" }),
    /** Number of the user's last event. */
    lastSeq: bigint("last_seq", { mode: "number" }).notNull().default(0),
    /** Highest purged number; a stream cannot be resumed from below it. */
    floorSeq: bigint("floor_seq", { mode: "number" }).notNull().default(0),
    /** Unfinished QueuedJobs. */
    pending: integer().notNull().default(0),
    /** Bytes of photos and outputs. */
    storedBytes: bigint("stored_bytes", { mode: "number" }).notNull().default(0),
    /** Bytes of parameters, results and event snapshots, each as JSON text. */
    recordedBytes: bigint("recorded_bytes", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    check("user_streams_pending", sql`${table.pending} >= 0`),
    check("user_streams_floor", sql`${table.floorSeq} <= ${table.lastSeq}`),
  ],
);

/**
 * Bytes of dropped events that are still part of `recordedBytes`, until maintenance has subtracted
 * them. A user without a row has none.
 */
export const purgedBytes = pgTable("purged_bytes", {
  userId: uuid("user_id").primaryKey(),
  bytes: bigint({ mode: "number" }).notNull(),
});
