import type { Sql } from "postgres";
import { available, type Database } from "../../db/database.js";
import type { QueuedJob, QueuedJobEvent, QueuedJobOutput } from "../../domain/queued-job.js";
import { idArray } from "./ids.js";
import { createListPages } from "./list-pages.js";
import type { ListScope } from "./list-scan.js";
import { recordedOutputs } from "../queued-jobs/statements.js";
import { UNBOUNDED, type ReadBudget } from "./page.js";

/** Maximum events of a history: the newest. */
export const MAX_HISTORY = 100;

export interface HistoryQuery {
  /** Includes the snapshots; otherwise an event shows only its type and time. */
  snapshots: boolean;
  budget?: ReadBudget;
}

interface HistoryRow extends QueuedJobEvent {
  place: number;
  bytes: number;
}

/** The values that snapshots may omit, with their owner. */
export interface LargeValues extends Pick<QueuedJob, "userId" | "parameters" | "result"> {
  id: string;
  /** Length of both as JSON text. */
  bytes: number;
}

interface OutputFileRow {
  storageKey: string;
  mimeType: string;
  filename: string;
}

/** An output of a QueuedJob of one user. */
export interface OwnOutput {
  queuedJobId: string;
  name: string;
  mimeType: string;
  byteSize: number;
  storageKey: string;
}

export type QueuedJobReads = ReturnType<typeof createQueuedJobReads>;

export function createQueuedJobReads(database: Database) {
  const { sql } = database;
  const lists = createListPages(database);

  return {
    ...lists,

    /** Counts QueuedJobs, but stops at `most`. */
    count: async (scope: ListScope, most: number): Promise<number> =>
      (await lists.counts([scope], most))[0] ?? 0,

    /** Returns the newest logged events of each QueuedJob, oldest first. */
    histories: (
      queuedJobIds: readonly string[],
      query: HistoryQuery = { snapshots: true },
    ): Promise<QueuedJobEvent[][]> => available(() => readHistories(sql, queuedJobIds, query)),

    /** Returns values in the order of the ids; null for an unknown id. */
    largeValues: (queuedJobIds: readonly string[]): Promise<(LargeValues | null)[]> =>
      available(() => readLargeValues(sql, queuedJobIds)),

    /** Returns outputs in the order of the ids. */
    outputs: (queuedJobIds: readonly string[]): Promise<QueuedJobOutput[][]> =>
      available(() => readOutputs(sql, queuedJobIds)),

    /** Returns null when the output does not exist. */
    outputFile: (queuedJobId: string, name: string): Promise<OutputFileRow | null> =>
      available(() => readOutputFile(sql, queuedJobId, name)),

    /** Returns null when this user has no such output; outputs exist from SUCCESS on. */
    ownOutput: (userId: string, queuedJobId: string, name: string): Promise<OwnOutput | null> =>
      available(() => readOwnOutput(sql, { userId, queuedJobId, name })),

    /** Returns the photos that still exist, in the order in which they were submitted. */
    photoIds: (queuedJobIds: readonly string[]): Promise<string[][]> =>
      available(() => readPhotoIds(sql, queuedJobIds)),
  };
}

async function readHistories(
  sql: Sql,
  queuedJobIds: readonly string[],
  query: HistoryQuery,
): Promise<QueuedJobEvent[][]> {
  const rows = await queryHistories(sql, queuedJobIds, query);
  query.budget?.takeRead(
    rows.length,
    rows.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  const histories = queuedJobIds.map((): QueuedJobEvent[] => []);
  for (const { place, bytes: _, ...event } of rows) histories[place - 1]?.push(event);
  return histories;
}

/** Reads the newest first, up to and including the event that exceeds the budget. */
const queryHistories = (
  sql: Sql,
  queuedJobIds: readonly string[],
  { snapshots, budget = UNBOUNDED }: HistoryQuery,
) => sql<HistoryRow[]>`
  with newest as (
    select q.place, e.user_id, e.seq, e.bytes
      from unnest(${[...queuedJobIds]}::uuid[]) with ordinality q(id, place) cross join lateral (
      select user_id, seq,
        ${
          snapshots
            ? sql`case when bytes > 0 then bytes else octet_length(snapshot::text)
        end`
            : sql`0`
        } as bytes
      from queued_job_events where queued_job_id = q.id order by seq desc limit ${MAX_HISTORY}) e
        limit ${budget.rowsLeft + 1}),
  bounded as (select *, coalesce(sum(bytes) over (order by place,
  seq desc rows between unbounded preceding and 1 preceding), 0) as before from newest)
  select b.place::int, b.bytes::float8, e.seq::float8, e.type,
    rfc3339(e.at) as at ${snapshots ? sql`, e.snapshot as "queuedJob"` : sql``}
  from bounded b join queued_job_events e using (user_id, seq)
    where b.before <= ${budget.bytesLeft} order by b.place, e.seq`;

async function readLargeValues(
  sql: Sql,
  queuedJobIds: readonly string[],
): Promise<(LargeValues | null)[]> {
  const rows = await sql<LargeValues[]>`
    select id, user_id as "userId", parameters, result,
      octet_length(parameters::text) + coalesce(octet_length(result::text), 0) as bytes
      from queued_jobs
    where id = any(${idArray(sql, queuedJobIds)})`;
  const byId = new Map(rows.map((row) => [row.id, row]));
  return queuedJobIds.map((id) => byId.get(id) ?? null);
}

async function readOutputs(
  sql: Sql,
  queuedJobIds: readonly string[],
): Promise<QueuedJobOutput[][]> {
  const rows = await sql<{ id: string; outputs: QueuedJobOutput[] }[]>`
    select t.id, ${recordedOutputs(sql)} as outputs
      from unnest(${idArray(sql, queuedJobIds)}) as t(id)`;
  const byId = new Map(rows.map((row) => [row.id, row.outputs]));
  return queuedJobIds.map((id) => byId.get(id) ?? []);
}

async function readOutputFile(
  sql: Sql,
  queuedJobId: string,
  name: string,
): Promise<OutputFileRow | null> {
  const [row] = await sql<OutputFileRow[]>`
    select storage_key as "storageKey", mime_type as "mimeType", name as filename
      from queued_job_outputs where queued_job_id = ${queuedJobId} and name = ${name}`;
  return row ?? null;
}

async function readPhotoIds(sql: Sql, queuedJobIds: readonly string[]): Promise<string[][]> {
  const rows = await sql<{ id: string; photoIds: string[] }[]>`
    select queued_job_id as id, array_agg(photo_id::text order by position) as "photoIds"
      from queued_job_photos where queued_job_id = any(${idArray(sql, queuedJobIds)}) group by 1`;
  const byId = new Map(rows.map((row) => [row.id, row.photoIds]));
  return queuedJobIds.map((id) => byId.get(id) ?? []);
}

async function readOwnOutput(
  sql: Sql,
  { userId, queuedJobId, name }: { userId: string; queuedJobId: string; name: string },
): Promise<OwnOutput | null> {
  const [row] = await sql<OwnOutput[]>`
    select o.queued_job_id as "queuedJobId", o.name, o.mime_type as "mimeType",
      o.byte_size::float8 as "byteSize", o.storage_key as "storageKey"
    from queued_jobs q join queued_job_outputs o on o.queued_job_id = q.id
    where q.id = ${queuedJobId} and q.user_id = ${userId} and o.name = ${name}`;
  return row ?? null;
}
