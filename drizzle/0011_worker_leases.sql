CREATE TABLE "worker_leases" (
	"worker" text PRIMARY KEY NOT NULL,
	"valid_until" timestamp with time zone NOT NULL,
	"queued_job_ids" uuid[] NOT NULL
);
