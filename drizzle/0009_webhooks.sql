CREATE TABLE "webhook_positions" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"due_at" timestamp with time zone,
	"waiting_since" timestamp (3) with time zone,
	"holder" text,
	"leased_until" timestamp with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"failing_since" timestamp with time zone,
	"paused_at" timestamp (3) with time zone,
	"paused_by" text,
	"last_at" timestamp (3) with time zone,
	"last_status" smallint,
	"last_reason" text,
	"last_body" text,
	"missed" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "webhook_receivers" (
	"id" smallint PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"paused_at" timestamp (3) with time zone,
	"paused_by" text,
	"hold_until" timestamp with time zone,
	"last_success_at" timestamp with time zone,
	CONSTRAINT "webhook_receivers_one" CHECK ("webhook_receivers"."id" = 1)
);
--> statement-breakpoint
ALTER TABLE "queued_job_events" ADD COLUMN "unreported" boolean;--> statement-breakpoint
ALTER TABLE "webhook_positions" ADD CONSTRAINT "webhook_positions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "webhook_positions_due" ON "webhook_positions" USING btree ("due_at") WHERE due_at is not null and paused_at is null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "webhook_positions_troubled" ON "webhook_positions" USING btree ("user_id") WHERE attempts > 0 or paused_at is not null or missed > 0;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_jobs_without_expiry" ON "queued_jobs" USING btree ("finished_at") WHERE finished_at is not null and expires_at is null;