CREATE TABLE "job_groups" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text,
	"total" integer NOT NULL,
	"pending" integer NOT NULL,
	"started" integer DEFAULT 0 NOT NULL,
	"succeeded" integer DEFAULT 0 NOT NULL,
	"failed" integer DEFAULT 0 NOT NULL,
	"cancelled" integer DEFAULT 0 NOT NULL,
	"idempotency_key" text,
	"fingerprint" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	"deleted_at" timestamp (3) with time zone,
	CONSTRAINT "job_groups_counts" CHECK (least("job_groups"."pending", "job_groups"."started", "job_groups"."succeeded", "job_groups"."failed",
        "job_groups"."cancelled") >= 0 and "job_groups"."total" = "job_groups"."pending" + "job_groups"."started" +
        "job_groups"."succeeded" + "job_groups"."failed" + "job_groups"."cancelled"),
	CONSTRAINT "job_groups_finished" CHECK (("job_groups"."pending" + "job_groups"."started" = 0) = ("job_groups"."finished_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "queued_job_predecessors" (
	"queued_job_id" uuid NOT NULL,
	"predecessor_id" uuid NOT NULL,
	"position" smallint NOT NULL,
	"takes_photos" boolean NOT NULL,
	"outputs" text[],
	CONSTRAINT "queued_job_predecessors_predecessor_id_queued_job_id_pk" PRIMARY KEY("predecessor_id","queued_job_id")
);
--> statement-breakpoint
ALTER TABLE "queued_job_events" ADD COLUMN "group_id" uuid;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "group_id" uuid;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "group_key" text;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "group_place" smallint;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "grouped_version" integer;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "waiting_for" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "runs_anyway" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "takes_photos" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "cancelling" text;--> statement-breakpoint
ALTER TABLE "job_groups" ADD CONSTRAINT "job_groups_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "queued_job_predecessors" ADD CONSTRAINT "queued_job_predecessors_queued_job" FOREIGN KEY ("queued_job_id") REFERENCES "public"."queued_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "job_groups_user_id" ON "job_groups" USING btree ("user_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX IF NOT EXISTS "job_groups_user_key" ON "job_groups" USING btree ("user_id","idempotency_key") WHERE idempotency_key is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "job_groups_expiry" ON "job_groups" USING btree ("expires_at") WHERE expires_at is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_job_predecessors_successor" ON "queued_job_predecessors" USING btree ("queued_job_id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_job_events_group" ON "queued_job_events" USING btree ("group_id","seq") WHERE group_id is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_jobs_group" ON "queued_jobs" USING btree ("group_id","status") WHERE group_id is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_jobs_cancelling" ON "queued_jobs" USING btree ("id") WHERE cancelling is not null and status in ('PENDING', 'STARTED');--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD CONSTRAINT "queued_jobs_grouped_version" CHECK ("queued_jobs"."group_id" is null or coalesce("queued_jobs"."grouped_version", 0) = "queued_jobs"."version") NOT VALID;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD CONSTRAINT "queued_jobs_waiting" CHECK ("queued_jobs"."waiting_for" = 0 or ("queued_jobs"."waiting_for" > 0 and "queued_jobs"."status" = 'PENDING')) NOT VALID;