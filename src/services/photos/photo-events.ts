// The events of photos. Each write of a photo records its event in the same statement, with the
// owner's counter. Lock order: the counter, then the photo.
import type { Fragment, Sql } from "postgres";
import type { PhotoEvent, PhotoEventType } from "../../domain/photo-event.js";

/**
 * Adds to the rows of `t` their snapshots and lengths. `offset 0` keeps PostgreSQL from computing a
 * snapshot more than once.
 */
export function withPhotoSnapshots(sql: Sql): Fragment {
  return sql`
    select t.*, x.snapshot, octet_length(x.snapshot::text) as event_bytes from t
    cross join lateral (select jsonb_build_object(
      'id', t.id, 'userId', t.user_id, 'filename', t.filename, 'mimeType', t.mime_type,
      'width', t.width, 'height', t.height, 'byteSize', t.byte_size, 'sha256', t.sha256,
      'storageKey', t.storage_key, 'previewKey', t.preview_key, 'thumbhash', t.thumbhash,
      'createdAt', rfc3339(t.created_at),
      'takenAt', to_char(t.taken_at, 'YYYY-MM-DD"T"HH24:MI:SS'),
      'takenAtOffset', t.taken_at_offset,
      'latitude', t.latitude, 'longitude', t.longitude, 'altitude', t.altitude,
      'camera', t.camera, 'lens', t.lens, 'orientation', t.orientation, 'damaged', t.damaged,
      'madeBy', t.made_by) as snapshot offset 0) x`;
}

/** Inserts the event of each row of `j`; `s` is its counter after the step. */
export function insertPhotoEvent(sql: Sql, type: PhotoEventType): Fragment {
  return sql`
    insert into photo_events (user_id, seq, photo_id, type, at, snapshot, bytes)
    select j.user_id, s.last_seq, j.id, ${type}, now(), j.snapshot, j.event_bytes from j, s
    returning seq, at, type`;
}

/** The columns of a PhotoEvent, from a row of `j` and its event `e`. */
export function photoEventColumns(sql: Sql): Fragment {
  return sql`e.seq::float8 as seq, rfc3339(e.at) as at, e.type, j.snapshot as photo`;
}

/** A photo whose row changes, and by whom it is owned. */
export interface PhotoChange {
  id: string;
  userId: string;
  /** New values of columns. */
  set: Fragment;
  /** Further conditions on the row. */
  where: Fragment;
}

/**
 * Updates a photo and records PREVIEWED. Null when the conditions do not hold, or when the photo or
 * the account is deleted.
 */
export async function recordPreviewed(
  sql: Sql,
  { id, userId, set, where }: PhotoChange,
): Promise<PhotoEvent | null> {
  const [event] = await sql<PhotoEvent[]>`
    with c as materialized (
      select user_id from user_streams where user_id = ${userId} for no key update),
    t as (
      update photos p set ${set} from c
      where p.id = ${id} and p.user_id = c.user_id and ${where} returning p.*),
    j as materialized (${withPhotoSnapshots(sql)}),
    s as (
      update user_streams u set last_seq = u.last_seq + 1,
        recorded_bytes = u.recorded_bytes + j.event_bytes
      from j where u.user_id = j.user_id returning u.last_seq),
    e as (${insertPhotoEvent(sql, "PREVIEWED")})
    select ${photoEventColumns(sql)} from j, e`;
  return event ?? null;
}
