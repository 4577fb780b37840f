CREATE TABLE "operations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"action" text NOT NULL,
	"state" text NOT NULL,
	"actor" text NOT NULL,
	"request_id" text NOT NULL,
	"filter" jsonb NOT NULL,
	"matched" integer,
	"done" integer DEFAULT 0 NOT NULL,
	"skipped" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"waiting" uuid[] DEFAULT '{}' NOT NULL,
	"position" uuid NOT NULL,
	"bound" uuid NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "operations_action" CHECK ("operations"."action" in ('RETRY', 'CANCEL', 'DELETE')),
	CONSTRAINT "operations_state" CHECK ("operations"."state" in ('RUNNING', 'FINISHED', 'STOPPED')),
	CONSTRAINT "operations_finished" CHECK (("operations"."state" = 'RUNNING') = ("operations"."finished_at" is null))
);
--> statement-breakpoint
CREATE TABLE "operator_actions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor" text NOT NULL,
	"request_id" text NOT NULL,
	"action" text NOT NULL,
	"target" jsonb NOT NULL,
	"count" integer
);
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "operations_running" ON "operations" USING btree ("id") WHERE state = 'RUNNING';--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "queued_jobs_unsuccessful" ON "queued_jobs" USING btree ("id") WHERE status in ('FAILED', 'CANCELLED');