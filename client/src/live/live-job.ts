import { CursorExpiredError, NotFoundError, type PhotoServiceError } from "../errors.js";
import type { JobName } from "../generated/jobs.js";
import { EVENTS, rowsQuery } from "../operations.js";
import { partsFor } from "../parts.js";
import type { PhotoService } from "../photo-service.js";
import { ONCE, type Query } from "../transport/requests.js";
import { isFinished, type QueuedJob, type SentEvent } from "../types.js";
import { isNewer, merged } from "./job-rows.js";
import { createLive, type Live } from "./live.js";

export interface LiveJobSnapshot<Name extends JobName = JobName> {
  /** Null before it is read, and after it was deleted. */
  job: QueuedJob<Name> | null;
  /** Why it cannot be followed at the moment. */
  error: PhotoServiceError | null;
}

/** One QueuedJob, current until it finishes; also after `retry` of the same client. */
export function createLiveJob<Name extends JobName>(
  service: PhotoService,
  source: QueuedJob<Name> | string,
): Live<LiveJobSnapshot<Name>> {
  const { query, events, urls, rows } = partsFor(service);
  const id = typeof source === "string" ? source : source.id;
  let cursor: string | null = null;
  let isDeleted = false;
  let wake = (): void => {};
  const live = createLive<LiveJobSnapshot<Name>>(
    { job: typeof source === "string" ? null : source, error: null },
    { listen: () => rows.listen(keep), run, onError },
  );
  const { getSnapshot, update } = live;

  function isOver(): boolean {
    const { job } = getSnapshot();
    return isDeleted || (job !== null && isFinished(job));
  }

  function keep(row: QueuedJob): void {
    const { job } = getSnapshot();
    if (row.id !== id || (job && !isNewer(row, job))) return;
    update({ job: row as QueuedJob<Name>, error: null });
    wake();
  }

  function receive(event: SentEvent): void {
    cursor = event.cursor;
    isDeleted = event.type === "DELETED";
    const { job } = getSnapshot();
    if (isDeleted) update({ job: null });
    else keep(merged(job ?? undefined, urls.ofQueuedJob(event.queuedJob)));
  }

  async function run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => wake());
    while (!signal.aborted && !isDeleted) {
      if (!getSnapshot().job) keep(urls.ofQueuedJob(await readRow(query, id, signal)));
      const place = { after: cursor, queuedJobId: id };
      const onState = (error: PhotoServiceError | null): void => update({ error });
      if (!isOver()) await events.follow(EVENTS, { ...place, signal, onEvent: receive, onState });
      // A finished one changes again when this client retries it.
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  function onError(error: unknown): boolean {
    // Without a cursor, the stream starts with the last event, which may be known.
    if (error instanceof CursorExpiredError) cursor = null;
    else update({ error: error as PhotoServiceError });
    return error instanceof CursorExpiredError || events.isWorthWaiting(error);
  }

  return live;
}

async function readRow(query: Query, id: string, signal: AbortSignal): Promise<QueuedJob> {
  const { r0: row } = await query<{ r0: QueuedJob | null }>(
    rowsQuery(1),
    { i0: id },
    { ...ONCE, signal },
  );
  if (!row) throw new NotFoundError("NOT_FOUND", `There is no QueuedJob ${id}.`);
  return row;
}
