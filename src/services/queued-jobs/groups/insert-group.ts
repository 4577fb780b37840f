// The further parts of the INSERT of submissions when its rows are a group.
import type { Fragment, Sql } from "postgres";
import type { Instant } from "../../../domain/queued-job.js";
import { memberJson, NEVER_DUE } from "../statements.js";

/** A checked group with its id. */
export interface NewGroup {
  id: string;
  name: string | null;
  total: number;
  idempotencyKey: string | null;
  fingerprint: string | null;
  createdAt: Instant;
}

/** The place of a new QueuedJob in its group. */
export interface NewMember {
  groupKey: string;
  groupPlace: number;
  /** Number of predecessors. */
  waitingFor: number;
  runsAnyway: boolean;
  takesPhotos: boolean;
  predecessors: NewPredecessor[];
}

export interface NewPredecessor {
  predecessorId: string;
  position: number;
  takesPhotos: boolean;
  /** Names of the outputs to pass on; null for all pictures. */
  outputs: string[] | null;
}

/**
 * The parts of the statement, by their places in it. `row` and `edges` end with a comma. A taken
 * key inserts no group and so no rows, and the statement fails with ALREADY_THERE.
 */
export function insertGroup(
  sql: Sql,
  userId: string,
  group: NewGroup,
): Record<
  "given" | "row" | "dueAt" | "values" | "join" | "columns" | "edges" | "member",
  Fragment
> {
  return {
    given: sql`, "groupKey" text, "groupPlace" int, "waitingFor" int, "runsAnyway" boolean,
      "takesPhotos" boolean, predecessors jsonb`,
    row: sql`
      g as (
        insert into job_groups (id, user_id, name, total, pending, idempotency_key, fingerprint,
          created_at)
        select ${group.id}::uuid, ${userId}::uuid, ${group.name}::text, ${group.total}::int,
          ${group.total}::int, ${group.idempotencyKey}::text, ${group.fingerprint}::text,
          ${group.createdAt}::timestamptz
        from a
        on conflict (user_id, idempotency_key) where idempotency_key is not null do nothing
        returning *),`,
    dueAt: sql`case when "waitingFor" > 0 then ${NEVER_DUE}::timestamptz
      else greatest("runAt", now()) end`,
    values: sql`, new_group, "groupKey", "groupPlace", 1, "waitingFor", "runsAnyway",
      "takesPhotos"`,
    join: sql`cross join (select id as new_group from g) g`,
    columns: sql`, group_id, group_key, group_place, grouped_version, waiting_for, runs_anyway,
      takes_photos`,
    edges: sql`
      d as (
        insert into queued_job_predecessors (queued_job_id, predecessor_id, position, takes_photos,
          outputs)
        select t.id, p."predecessorId", p.position, p."takesPhotos", p.outputs
        from i join t on t.id = i.id cross join jsonb_to_recordset(i.predecessors) as p(
          "predecessorId" uuid, position int, "takesPhotos" boolean, outputs text[])),`,
    member: sql`(select ${memberJson(sql)} from g)`,
  };
}
