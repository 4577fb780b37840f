// Removes groups with their members, a bounded number per statement. A group is invisible from the
// first statement on, and the next process goes on where one died.
import type { Sql } from "postgres";
import { available } from "../../../db/database.js";
import type { Finished, Remover } from "../remove.js";

/** Maximum members that are read at once. */
const SLICE = 200;

export function createGroupRemover({ sql, remover }: { sql: Sql; remover: Remover }) {
  /** Returns the number of removed members; the row of the group goes with the last one. */
  async function removeMembers(groupId: string, limit: number): Promise<number> {
    let count = 0;
    while (count < limit) {
      const rows = await available(() => readMembers(sql, groupId, Math.min(SLICE, limit - count)));
      const removed = rows.length === 0 ? 0 : await remover.many(rows);
      count += removed;
      if (rows.length === 0) await available(() => dropGroup(sql, groupId));
      // Locked or changed rows are left for the next call.
      if (removed < rows.length || rows.length === 0) break;
    }
    return count;
  }

  return {
    /** Returns false if the group runs. */
    async one(groupId: string): Promise<boolean> {
      const isMarked = await available(() => markDeleted(sql, groupId));
      if (isMarked) await removeMembers(groupId, Infinity);
      return isMarked;
    },

    /** Removes members of expired groups, oldest first; returns their number. */
    async expired(limit: number): Promise<number> {
      const rows = await available(
        () => sql<{ id: string }[]>`
        select id from job_groups where expires_at < now() order by expires_at limit ${limit}`,
      );
      let count = 0;
      for (const { id } of rows) {
        if (count >= limit) break;
        if (await available(() => markDeleted(sql, id))) {
          count += await removeMembers(id, limit - count);
        }
      }
      return count;
    },
  };
}

/** The lock of the row orders this after the steps of its members. */
async function markDeleted(sql: Sql, groupId: string): Promise<boolean> {
  const rows = await sql`
    update job_groups set deleted_at = coalesce(deleted_at, now()),
      expires_at = least(expires_at, now()), idempotency_key = null, fingerprint = null
    where id = ${groupId} and pending + started = 0 returning id`;
  return rows.length > 0;
}

function readMembers(sql: Sql, groupId: string, limit: number): Promise<Finished[]> {
  return sql<Finished[]>`
    select id, version from queued_jobs where group_id = ${groupId} order by id limit ${limit}`;
}

function dropGroup(sql: Sql, groupId: string): Promise<unknown> {
  return sql`delete from job_groups where id = ${groupId} and deleted_at is not null
    and not exists (select from queued_jobs q where q.group_id = ${groupId})`;
}
