ALTER TABLE "photos" ADD COLUMN "made_by" uuid;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "renditions" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "rendition_error" text;