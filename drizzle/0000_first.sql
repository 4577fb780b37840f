CREATE TABLE "duties" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"held_until" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "histories" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"name" text PRIMARY KEY NOT NULL,
	"title" text NOT NULL,
	"description" text NOT NULL,
	"parameter_schema" json NOT NULL,
	"result_schema" json NOT NULL,
	"min_photos" integer NOT NULL,
	"max_photos" integer NOT NULL,
	"max_attempts" integer NOT NULL,
	"timeout_ms" integer NOT NULL,
	"offered" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "photos" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"filename" text NOT NULL,
	"mime_type" text NOT NULL,
	"width" integer NOT NULL,
	"height" integer NOT NULL,
	"byte_size" bigint NOT NULL,
	"sha256" text NOT NULL,
	"storage_key" text NOT NULL,
	"preview_key" text,
	"thumbhash" text,
	"phash" bigint,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "queued_job_events" (
	"user_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"queued_job_id" uuid NOT NULL,
	"type" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"snapshot" jsonb NOT NULL,
	CONSTRAINT "queued_job_events_user_id_seq_pk" PRIMARY KEY("user_id","seq"),
	CONSTRAINT "queued_job_events_type" CHECK ("queued_job_events"."type" in ('QUEUED', 'STARTED', 'RETRYING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'DELETED'))
);
--> statement-breakpoint
CREATE TABLE "queued_job_outputs" (
	"queued_job_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"name" text NOT NULL,
	"mime_type" text NOT NULL,
	"byte_size" bigint NOT NULL,
	"width" integer,
	"height" integer,
	"storage_key" text NOT NULL,
	CONSTRAINT "queued_job_outputs_queued_job_id_position_pk" PRIMARY KEY("queued_job_id","position"),
	CONSTRAINT "queued_job_outputs_name" UNIQUE("queued_job_id","name")
);
--> statement-breakpoint
CREATE TABLE "queued_job_photos" (
	"queued_job_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"photo_id" uuid NOT NULL,
	CONSTRAINT "queued_job_photos_queued_job_id_position_pk" PRIMARY KEY("queued_job_id","position")
);
--> statement-breakpoint
CREATE TABLE "queued_jobs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"job_name" text NOT NULL,
	"status" text NOT NULL,
	"run" integer DEFAULT 1 NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"stalls" integer DEFAULT 0 NOT NULL,
	"lease_until" timestamp with time zone,
	"worker" text,
	"parameters" jsonb NOT NULL,
	"photo_count" integer NOT NULL,
	"priority" smallint NOT NULL,
	"run_at" timestamp (3) with time zone,
	"due_at" timestamp with time zone NOT NULL,
	"progress" double precision DEFAULT 0 NOT NULL,
	"progress_message" text,
	"result" jsonb,
	"error_code" text,
	"error_message" text,
	"idempotency_key" text,
	"fingerprint" text,
	"request_id" text NOT NULL,
	"reused_from" uuid,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	CONSTRAINT "queued_jobs_status" CHECK ("queued_jobs"."status" in ('PENDING', 'STARTED', 'SUCCESS', 'FAILED', 'CANCELLED')),
	CONSTRAINT "queued_jobs_progress" CHECK ("queued_jobs"."progress" between 0 and 1),
	CONSTRAINT "queued_jobs_priority" CHECK ("queued_jobs"."priority" between 0 and 100),
	CONSTRAINT "queued_jobs_lease_only_started" CHECK (("queued_jobs"."status" = 'STARTED') = ("queued_jobs"."lease_until" is not null)),
	CONSTRAINT "queued_jobs_finished_times" CHECK (("queued_jobs"."status" in ('SUCCESS', 'FAILED', 'CANCELLED')) = ("queued_jobs"."finished_at" is not null)),
	CONSTRAINT "queued_jobs_success" CHECK ("queued_jobs"."status" <> 'SUCCESS' or ("queued_jobs"."progress" = 1 and "queued_jobs"."error_code" is null)),
	CONSTRAINT "queued_jobs_failed" CHECK ("queued_jobs"."status" <> 'FAILED' or "queued_jobs"."error_code" is not null),
	CONSTRAINT "queued_jobs_key_with_fingerprint" CHECK (("queued_jobs"."idempotency_key" is null) = ("queued_jobs"."fingerprint" is null))
);
--> statement-breakpoint
CREATE TABLE "user_streams" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"floor_seq" bigint DEFAULT 0 NOT NULL,
	"pending" integer DEFAULT 0 NOT NULL,
	"stored_bytes" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "user_streams_pending" CHECK ("user_streams"."pending" >= 0),
	CONSTRAINT "user_streams_floor" CHECK ("user_streams"."floor_seq" <= "user_streams"."last_seq")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"issuer" text NOT NULL,
	"subject" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean NOT NULL,
	"name" text NOT NULL,
	"picture" text,
	"admin" boolean DEFAULT false NOT NULL,
	"claims_issued_at" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "users_issuer_subject" UNIQUE("issuer","subject")
);
--> statement-breakpoint
ALTER TABLE "photos" ADD CONSTRAINT "photos_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "queued_job_events" ADD CONSTRAINT "queued_job_events_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "queued_job_outputs" ADD CONSTRAINT "queued_job_outputs_queued_job" FOREIGN KEY ("queued_job_id") REFERENCES "public"."queued_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "queued_job_photos" ADD CONSTRAINT "queued_job_photos_queued_job" FOREIGN KEY ("queued_job_id") REFERENCES "public"."queued_jobs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "queued_job_photos" ADD CONSTRAINT "queued_job_photos_photo" FOREIGN KEY ("photo_id") REFERENCES "public"."photos"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD CONSTRAINT "queued_jobs_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD CONSTRAINT "queued_jobs_job_name_jobs_name_fk" FOREIGN KEY ("job_name") REFERENCES "public"."jobs"("name") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "user_streams" ADD CONSTRAINT "user_streams_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "photos_user_sha256" ON "photos" USING btree ("user_id","sha256");--> statement-breakpoint
CREATE INDEX "photos_user_id" ON "photos" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "queued_job_events_job" ON "queued_job_events" USING btree ("queued_job_id","seq");--> statement-breakpoint
CREATE INDEX "queued_job_photos_photo_job" ON "queued_job_photos" USING btree ("photo_id","queued_job_id");--> statement-breakpoint
CREATE INDEX "queued_jobs_user_id" ON "queued_jobs" USING btree ("user_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "queued_jobs_user_key" ON "queued_jobs" USING btree ("user_id","idempotency_key") WHERE idempotency_key is not null;--> statement-breakpoint
CREATE INDEX "queued_jobs_due" ON "queued_jobs" USING btree ("due_at") WHERE status = 'PENDING';--> statement-breakpoint
CREATE INDEX "queued_jobs_lease" ON "queued_jobs" USING btree ("lease_until") WHERE status = 'STARTED';--> statement-breakpoint
CREATE INDEX "queued_jobs_unfinished_of_user" ON "queued_jobs" USING btree ("user_id","priority") WHERE status in ('PENDING', 'STARTED');--> statement-breakpoint
CREATE INDEX "queued_jobs_expiry" ON "queued_jobs" USING btree ("expires_at") WHERE expires_at is not null;