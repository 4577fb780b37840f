// The pictures that predecessors made, as photos of the QueuedJob that waited for them.
import type { Fragment, Sql } from "postgres";
import { available } from "../../../db/database.js";

export interface HandedPicture {
  /** A UUID that names the output; it is the id of no photo. */
  id: string;
  filename: string;
  mimeType: string;
  width: number;
  height: number;
  byteSize: number;
  storageKey: string;
  createdAt: Date;
}

/** Reads the pictures in the order in which the QueuedJob lists their sources and names. */
export function readHandedPictures(sql: Sql, queuedJobId: string): Promise<HandedPicture[]> {
  return available(async () => {
    const rows = await sql<(Omit<HandedPicture, "createdAt"> & { createdAt: string })[]>`
      select md5(p.id::text || '/' || o.name)::uuid as id, p.group_key || '-' || o.name as filename,
        o.mime_type as "mimeType", o.width, o.height, o.byte_size::float8 as "byteSize",
        o.storage_key as "storageKey", rfc3339(p.finished_at) as "createdAt"
      from queued_job_predecessors d
      join queued_jobs p on p.id = d.predecessor_id and p.status = 'SUCCESS'
      join queued_job_outputs o on o.queued_job_id = p.id
      where d.queued_job_id = ${queuedJobId} and d.takes_photos and o.width is not null
        and o.height is not null and (d.outputs is null or o.name = any(d.outputs))
      order by d.position, array_position(d.outputs, o.name), o.position`;
    return rows.map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
  });
}

/** True if a QueuedJob that made pictures for the row `q` was deleted. */
export function lacksSource(sql: Sql): Fragment {
  return sql`exists (
    select from queued_job_predecessors d where d.queued_job_id = q.id and d.takes_photos
      and not exists (select from queued_jobs s where s.id = d.predecessor_id))`;
}

/** True if an unfinished QueuedJob of the same group needs the pictures of this one. */
export function isNeeded(sql: Sql, queuedJobId: string): Promise<boolean> {
  return available(async () => {
    const rows = await sql`
      select from queued_job_predecessors d join queued_jobs q on q.id = d.queued_job_id
      where d.predecessor_id = ${queuedJobId} and d.takes_photos
        and q.status in ('PENDING', 'STARTED') limit 1`;
    return rows.length > 0;
  });
}

/**
 * True if an unfinished successor needs the pictures of the locked row `q`. Successors are locked
 * in the order of their ids, so that their latest status counts. A statement of many rows does not
 * `wait` for them, as that could deadlock: a locked successor counts as unfinished.
 */
export function isPinned(sql: Sql, { wait }: { wait: boolean }): Fragment {
  return sql`exists (
    select from (
      select (select status from queued_jobs where id = d.queued_job_id
        for no key update ${wait ? sql`` : sql`skip locked`}) as status
      from (select queued_job_id from queued_job_predecessors
        where predecessor_id = q.id and takes_photos order by queued_job_id) d
      offset 0) successors
    where coalesce(status, 'STARTED') in ('PENDING', 'STARTED'))`;
}
