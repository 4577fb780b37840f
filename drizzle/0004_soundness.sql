CREATE TABLE "deleted_accounts" (
	"identity" text PRIMARY KEY NOT NULL,
	"deleted_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "queued_job_events" DROP CONSTRAINT "queued_job_events_user_id_users_id_fk";
--> statement-breakpoint
ALTER TABLE "queued_jobs" DROP CONSTRAINT "queued_jobs_job_name_jobs_name_fk";
--> statement-breakpoint
DROP INDEX "queued_jobs_due";--> statement-breakpoint
ALTER TABLE "queued_job_events" ADD COLUMN "bytes" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "user_streams" ADD COLUMN "recorded_bytes" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "closed_at" timestamp (3) with time zone;--> statement-breakpoint
-- IF NOT EXISTS: src/db/build-indexes.ts builds it beforehand without blocking writers.
CREATE INDEX IF NOT EXISTS "queued_jobs_due_id" ON "queued_jobs" USING btree ("due_at","id") WHERE status = 'PENDING';--> statement-breakpoint
-- IF NOT EXISTS: src/db/build-indexes.ts builds it beforehand without blocking writers.
CREATE INDEX IF NOT EXISTS "queued_jobs_unsuccessful_of_user" ON "queued_jobs" USING btree ("user_id","status","id") WHERE status in ('FAILED', 'CANCELLED');--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "users_closed" ON "users" USING btree ("id") WHERE closed_at is not null;--> statement-breakpoint
-- Room on each page for new row versions of hot rows, and vacuum before dead versions pile up. Applies to new pages.
ALTER TABLE "user_streams" SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01);--> statement-breakpoint
ALTER TABLE "queued_jobs" SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);--> statement-breakpoint
ALTER TABLE "queued_job_events" SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
