ALTER TABLE "photos" ADD COLUMN "preview_attempts" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "fresh" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD COLUMN "reuse_key" text;--> statement-breakpoint
CREATE INDEX "photos_user_phash" ON "photos" USING btree ("user_id","phash","id");--> statement-breakpoint
CREATE INDEX "photos_without_preview" ON "photos" USING btree ("preview_attempts","id") WHERE preview_key is null and preview_attempts < 3;--> statement-breakpoint
CREATE INDEX "queued_jobs_reuse" ON "queued_jobs" USING btree ("user_id","reuse_key","id") WHERE reuse_key is not null;--> statement-breakpoint
ALTER TABLE "queued_jobs" ADD CONSTRAINT "queued_jobs_reuse" CHECK ("queued_jobs"."status" = 'SUCCESS' or ("queued_jobs"."reuse_key" is null and "queued_jobs"."reused_from" is null));--> statement-breakpoint
-- Uploads only insert: without this the visibility map of a large table is old, and the search reads the heap.
ALTER TABLE "photos" SET (autovacuum_vacuum_insert_scale_factor = 0.02);
