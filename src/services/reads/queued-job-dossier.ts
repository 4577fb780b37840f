import { available, type Database } from "../../db/database.js";
import type {
  Instant,
  QueuedJob,
  QueuedJobEvent,
  QueuedJobOutput,
} from "../../domain/queued-job.js";
import { queuedJobJson, recordedOutputs } from "../queued-jobs/statements.js";

/** All there is to know about one QueuedJob, for operators. */
export interface QueuedJobDossier {
  /** Null: it was deleted, and its last event is what is left. */
  row: (QueuedJob & InnerFields) | null;
  /** Oldest first, at most so many. */
  events: QueuedJobEvent[];
  photos: {
    id: string;
    filename: string;
    mimeType: string;
    width: number;
    height: number;
    byteSize: number;
  }[];
  outputs: QueuedJobOutput[];
}

/** What its owner is not told. */
interface InnerFields {
  email: string;
  run: number;
  failures: number;
  stalls: number;
  /** Of the latest attempt. */
  worker: string | null;
  leaseUntil: Instant | null;
  dueAt: Instant;
  /** Of the request that submitted it. */
  requestId: string;
}

const EVENTS = 1000;

/** Null when there is no trace of it. */
export function readQueuedJobDossier(
  { sql }: Database,
  id: string,
): Promise<QueuedJobDossier | null> {
  return available(async () => {
    const [rows, events, photos] = await Promise.all([
      sql<{ queuedJob: QueuedJob & InnerFields; outputs: QueuedJobOutput[] }[]>`
        select ${recordedOutputs(sql)} as outputs, ${queuedJobJson(sql, sql`null::jsonb`)} ||
          jsonb_build_object('email', u.email, 'run', t.run, 'failures', t.failures, 'stalls',
          t.stalls, 'worker', t.worker,
          'leaseUntil', rfc3339(t.lease_until), 'dueAt', rfc3339(t.due_at), 'requestId',
          t.request_id) as "queuedJob"
        from queued_jobs t join users u on u.id = t.user_id where t.id = ${id}`,
      sql<
        QueuedJobEvent[]
      >`select seq::float8 as seq, type, rfc3339(at) as at, snapshot as "queuedJob"
        from queued_job_events where queued_job_id = ${id} order by seq limit ${EVENTS}`,
      sql<QueuedJobDossier["photos"]>`
        select p.id, p.filename, p.mime_type as "mimeType", p.width, p.height,
          p.byte_size::float8 as "byteSize" from queued_job_photos l join photos p
          on p.id = l.photo_id where l.queued_job_id = ${id} order by l.position`,
    ]);
    if (rows.length === 0 && events.length === 0) return null;
    return {
      row: rows[0]?.queuedJob ?? null,
      outputs: rows[0]?.outputs ?? [],
      events: [...events],
      photos: [...photos],
    };
  });
}
