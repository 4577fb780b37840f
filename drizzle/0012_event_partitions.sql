-- Written by hand: drizzle-kit cannot express partitions. The table becomes the first partition of a partitioned table
-- with its name. src/db/event-partitions.ts has prepared it, so that nothing is read while it is locked.
CREATE TABLE "purged_bytes" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"bytes" bigint NOT NULL
);
--> statement-breakpoint
ALTER TABLE "queued_job_events" ADD COLUMN IF NOT EXISTS "logged_hour" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX IF NOT EXISTS "queued_job_events_first_pk" ON "queued_job_events" USING btree ("user_id","seq","logged_hour") INCLUDE ("bytes");--> statement-breakpoint
ALTER TABLE "queued_job_events" RENAME TO "queued_job_events_first";--> statement-breakpoint
ALTER TABLE "queued_job_events_first" DROP CONSTRAINT "queued_job_events_user_id_seq_pk";--> statement-breakpoint
ALTER TABLE "queued_job_events_first" ADD CONSTRAINT "queued_job_events_first_pk" PRIMARY KEY USING INDEX "queued_job_events_first_pk";--> statement-breakpoint
ALTER INDEX "queued_job_events_job" RENAME TO "queued_job_events_first_job";--> statement-breakpoint
ALTER INDEX "queued_job_events_group" RENAME TO "queued_job_events_first_group";--> statement-breakpoint
CREATE TABLE "queued_job_events" (
	"user_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"queued_job_id" uuid NOT NULL,
	"type" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"snapshot" jsonb NOT NULL,
	"bytes" integer DEFAULT 0 NOT NULL,
	"unreported" boolean,
	"group_id" uuid,
	"logged_hour" integer DEFAULT floor(date_part('epoch', now()) / 3600)::integer NOT NULL,
	CONSTRAINT "queued_job_events_user_id_seq_logged_hour_pk" PRIMARY KEY("user_id","seq","logged_hour") INCLUDE ("bytes"),
	CONSTRAINT "queued_job_events_type" CHECK ("queued_job_events"."type" in ('QUEUED', 'STARTED', 'RETRYING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'DELETED'))
) PARTITION BY RANGE ("logged_hour");
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_job_events_job" ON "queued_job_events" USING btree ("queued_job_id","seq");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_job_events_group" ON "queued_job_events" USING btree ("group_id","seq") WHERE group_id is not null;--> statement-breakpoint
-- It ends in some hours, so that later events go to partitions of their own.
DO $$ BEGIN
	EXECUTE format('ALTER TABLE queued_job_events ATTACH PARTITION queued_job_events_first FOR VALUES FROM (MINVALUE) TO (%s)',
		floor(date_part('epoch', clock_timestamp()) / 3600)::integer + 6);
END $$;
--> statement-breakpoint
-- The partition now also receives events with the current hour.
ALTER TABLE "queued_job_events_first" DROP CONSTRAINT IF EXISTS "queued_job_events_unpartitioned";--> statement-breakpoint
CREATE TABLE "queued_job_events_default" PARTITION OF "queued_job_events" DEFAULT;--> statement-breakpoint
-- The released version deletes rows by ctid, which is the same in several partitions: it would delete events of others.
CREATE FUNCTION skip_delete_by_ctid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;--> statement-breakpoint
CREATE TRIGGER "skip_delete_by_ctid" BEFORE DELETE ON "queued_job_events_default" FOR EACH ROW
	WHEN (current_query() LIKE '%ctid = any%' AND current_query() NOT LIKE '%tableoid%') EXECUTE FUNCTION skip_delete_by_ctid();
