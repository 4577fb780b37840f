import { index, integer, jsonb, pgTable, serial, text, timestamp, uuid } from "drizzle-orm/pg-core";

const instant = (name: string) => timestamp(name, { withTimezone: true });

export const users = pgTable("users", {
  id: uuid().primaryKey().defaultRandom(),
  subject: text().notNull().unique(),
  email: text().notNull(),
  name: text().notNull(),
});

export const jobs = pgTable("jobs", { id: serial().primaryKey(), name: text().notNull().unique() });

export const queuedJobs = pgTable(
  "queued_jobs",
  {
    id: uuid().primaryKey().defaultRandom(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id),
    jobId: integer("job_id")
      .notNull()
      .references(() => jobs.id),
    status: text().notNull().default("PENDING"),
    version: integer().notNull().default(1),
    progress: integer().notNull().default(0),
    parameters: jsonb().notNull(),
    result: jsonb(),
    error: text(),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
    startedAt: instant("started_at"),
    finishedAt: instant("finished_at"),
  },
  (table) => [index("queued_jobs_user").on(table.userId)],
);

export type User = typeof users.$inferSelect;
export type QueuedJob = typeof queuedJobs.$inferSelect;

export const createTablesText = `
  create table users (id uuid primary key default gen_random_uuid(), subject text not null unique,
  email text not null, name text not null);
  create table jobs (id serial primary key, name text not null unique);
  insert into jobs (name) values ('echo'), ('thumbnails');
  create table queued_jobs (
    id uuid primary key default gen_random_uuid(), user_id uuid not null references users (id),
    job_id integer not null references jobs (id),
    status text not null default 'PENDING', version integer not null default 1,
    progress integer not null default 0, parameters jsonb not null, result jsonb, error text,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
    started_at timestamptz, finished_at timestamptz
  );
  create index queued_jobs_user on queued_jobs (user_id)`;
