CREATE TABLE "photo_events" (
	"user_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"photo_id" uuid NOT NULL,
	"type" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"snapshot" jsonb NOT NULL,
	"bytes" integer NOT NULL,
	CONSTRAINT "photo_events_user_id_seq_pk" PRIMARY KEY("user_id","seq"),
	CONSTRAINT "photo_events_type" CHECK ("photo_events"."type" in ('ADDED', 'PREVIEWED', 'CHANGED', 'DELETED'))
);
--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "metadata_tries" smallint DEFAULT 3 NOT NULL;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "taken_at" timestamp(0);--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "taken_at_offset" text;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "latitude" double precision;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "longitude" double precision;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "altitude" double precision;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "camera" text;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "lens" text;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "orientation" smallint;--> statement-breakpoint
ALTER TABLE "photos" ADD COLUMN "damaged" text;--> statement-breakpoint
ALTER TABLE "photo_events" ADD CONSTRAINT "photo_events_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photo_events_photo" ON "photo_events" USING btree ("photo_id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_without_metadata" ON "photos" USING btree ("id") WHERE metadata_tries > 0;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_user_uploaded" ON "photos" USING btree ("user_id","id","taken_at","camera","latitude","longitude","filename","damaged","made_by","phash");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_user_taken" ON "photos" USING btree ("user_id",coalesce(taken_at, '-infinity'::timestamp),"id","taken_at","camera","latitude","longitude","filename","damaged","made_by","phash");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_user_camera" ON "photos" USING btree ("user_id","camera","id");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_user_name" ON "photos" USING btree ("user_id",lower(filename),"id","filename");--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_user_place" ON "photos" USING btree ("user_id","latitude","longitude") WHERE latitude is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_user_damaged" ON "photos" USING btree ("user_id","id") WHERE damaged is not null;--> statement-breakpoint
CREATE INDEX IF NOT EXISTS "photos_user_kept" ON "photos" USING btree ("user_id","id") WHERE made_by is not null;