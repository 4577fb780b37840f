CREATE TABLE "pauses" (
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"actor" text NOT NULL,
	"reason" text NOT NULL,
	CONSTRAINT "pauses_kind_subject_pk" PRIMARY KEY("kind","subject"),
	CONSTRAINT "pauses_kind" CHECK ("pauses"."kind" in ('JOB', 'USER'))
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"name" text PRIMARY KEY NOT NULL,
	"version" text NOT NULL,
	"revision" text,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"state" text NOT NULL,
	"state_since" timestamp (3) with time zone NOT NULL,
	"drain" boolean DEFAULT false NOT NULL,
	"tasks" integer NOT NULL,
	"children" integer NOT NULL,
	"rss_bytes" bigint NOT NULL,
	"running" uuid[] NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"heartbeat_at" timestamp with time zone NOT NULL,
	CONSTRAINT "workers_state" CHECK ("workers"."state" in ('running', 'draining', 'stopped'))
);
