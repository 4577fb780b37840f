import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { PHOTO_EVENT_TYPES } from "../../domain/photo-event.js";
import { instant, oneOf } from "./columns.js";
import { HASH_KEYS, NAME_KEYS } from "./photo-keys.js";
import { users } from "./users.js";

/** Attempts to read the metadata of a photo that was stored without it. */
export const METADATA_TRIES = 3;

export const photos = pgTable(
  "photos",
  {
    id: uuid().primaryKey(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    filename: text().notNull(),
    mimeType: text("mime_type").notNull(),
    /** Size of the picture after its orientation is applied. */
    width: integer().notNull(),
    height: integer().notNull(),
    byteSize: bigint("byte_size", { mode: "number" }).notNull(),
    sha256: text().notNull(),
    storageKey: text("storage_key").notNull(),
    previewKey: text("preview_key"),
    thumbhash: text(),
    /** Perceptual hash as a signed 64-bit number; null for a flat or undecodable picture. */
    phash: bigint({ mode: "bigint" }),
    createdAt: instant("created_at").notNull(),
    /** Failed preview attempts since the upload. */
    previewAttempts: smallint("preview_attempts").notNull().default(0),
    /** The QueuedJob whose output this photo was; it may be gone. */
    madeBy: uuid("made_by"),
    /** Names of the renditions that are stored, such as `640.webp`. */
    renditions: text().array().notNull().default([]),
    /** Why no rendition can be made; null if one can, or if none was requested yet. */
    renditionError: text("rendition_error"),
    /** Remaining attempts to read the metadata below; 0 once it is read. */
    metadataTries: smallint("metadata_tries").notNull().default(METADATA_TRIES),
    /** Time of the camera's clock, which has no zone. */
    takenAt: timestamp("taken_at", { precision: 0, mode: "string" }),
    /** Offset of that clock from UTC, such as `+02:00`. */
    takenAtOffset: text("taken_at_offset"),
    latitude: doublePrecision(),
    longitude: doublePrecision(),
    altitude: doublePrecision(),
    /** Make and model in one text. */
    camera: text(),
    lens: text(),
    /** Orientation in the file, 1 to 8. */
    orientation: smallint(),
    /** The reason why the picture could not be decoded, as a sentence for its owner. */
    damaged: text(),
  },
  (table) => {
    // Behind the key of a list, so that a walk with a filter reads the index alone.
    const filterColumns = [
      table.takenAt,
      table.camera,
      table.latitude,
      table.longitude,
      table.filename,
      table.damaged,
      table.madeBy,
      table.phash,
    ] as const;
    return [
      uniqueIndex("photos_user_sha256").on(table.userId, table.sha256),
      index("photos_user_id").on(table.userId, table.id),
      // The id is included, so that all hashes of a user are read from the index alone.
      index("photos_user_phash").on(table.userId, table.phash, table.id),
      index("photos_without_preview")
        .on(table.previewAttempts, table.id)
        .where(sql`preview_key is null and preview_attempts < 3`),
      index("photos_without_metadata")
        .on(table.id)
        .where(sql`metadata_tries > 0`),
      // The orders of lists.
      index("photos_user_uploaded").on(table.userId, table.id, ...filterColumns),
      // A photo without a time has the earliest one, so that one comparison serves as a page key.
      index("photos_user_taken").on(
        table.userId,
        sql`coalesce(taken_at, '-infinity'::timestamp)`,
        table.id,
        ...filterColumns,
      ),
      index("photos_user_camera").on(table.userId, table.camera, table.id),
      // Only the previous release reads it.
      index("photos_user_name").on(table.userId, sql`lower(filename)`, table.id, table.filename),
      // The limit keeps searches fast: they read all changes that are not sorted into the index yet.
      index("photos_user_keys")
        .using("gin", sql.raw(NAME_KEYS), sql.raw(HASH_KEYS))
        .with({ gin_pending_list_limit: 256 }),
      index("photos_user_place")
        .on(table.userId, table.latitude, table.longitude)
        .where(sql`latitude is not null`),
      index("photos_user_damaged")
        .on(table.userId, table.id)
        .where(sql`damaged is not null`),
      index("photos_user_kept")
        .on(table.userId, table.id)
        .where(sql`made_by is not null`),
    ];
  },
);

/**
 * The events of photos, numbered together with `queued_job_events`: each number of a user is in one
 * of the two tables. A second table, because the released version reads every event of the first.
 */
export const photoEvents = pgTable(
  "photo_events",
  {
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    seq: bigint({ mode: "number" }).notNull(),
    photoId: uuid("photo_id").notNull(),
    type: text({ enum: PHOTO_EVENT_TYPES }).notNull(),
    at: instant("at").notNull(),
    /** The photo at this step; URLs are signed when the event is sent. */
    snapshot: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Length of the snapshot as JSON text. */
    bytes: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.seq] }),
    index("photo_events_photo").on(table.photoId),
    check("photo_events_type", sql`${table.type} in (${oneOf(PHOTO_EVENT_TYPES)})`),
  ],
);
