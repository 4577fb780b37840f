import { sql } from "drizzle-orm";
import {
  bigint,
  index,
  integer,
  pgTable,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { instant } from "./columns.js";
import { users } from "./users.js";

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
  },
  (table) => [
    uniqueIndex("photos_user_sha256").on(table.userId, table.sha256),
    index("photos_user_id").on(table.userId, table.id),
    // The id is included, so that all hashes of a user are read from the index alone.
    index("photos_user_phash").on(table.userId, table.phash, table.id),
    index("photos_without_preview")
      .on(table.previewAttempts, table.id)
      .where(sql`preview_key is null and preview_attempts < 3`),
  ],
);
