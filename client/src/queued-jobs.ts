import type { Channel } from "./channel.js";
import type { JobName, Jobs } from "./generated/jobs.js";
import { CANCEL, DELETE, ENQUEUE, RETRY } from "./operations.js";
import { ONCE, type Query, type RequestOptions } from "./transport/requests.js";
import type { QueuedJob } from "./types.js";
import type { Urls } from "./urls.js";

export interface RunOptions extends RequestOptions {
  /** 0 (default) to 100; higher runs first. */
  priority?: number | undefined;
  /** Earliest start. */
  runAt?: Date | string | undefined;
  /** Do the work even if the result of an identical earlier submission could be reused. */
  fresh?: boolean | undefined;
  /** By default each call makes a key, so that its repetitions submit nothing twice. */
  idempotencyKey?: string | undefined;
}

/** An object with an id, or the id. */
export type Reference = string | { readonly id: string };

export interface QueuedJobCalls {
  /** Submits a Job. It is stored when this resolves, and safe to repeat if an answer is lost. */
  run<Name extends JobName>(
    job: Name,
    parameters: Jobs[Name]["parameters"],
    photos?: readonly Reference[],
    options?: RunOptions,
  ): Promise<QueuedJob<Name>>;
  /** Stops it at once. ConflictError if it has finished. */
  cancel(queuedJob: Reference, options?: RequestOptions): Promise<QueuedJob>;
  /** Runs a FAILED or CANCELLED one again. ConflictError for another state. */
  retry(queuedJob: Reference, options?: RequestOptions): Promise<QueuedJob>;
  /** Deletes a finished one with its files. */
  delete(queuedJob: Reference, options?: RequestOptions): Promise<void>;
}

export function createQueuedJobCalls({
  query,
  urls,
  rows,
}: {
  query: Query;
  urls: Urls;
  rows: Channel<QueuedJob>;
}): QueuedJobCalls {
  async function mutate(document: string, variables: object, options?: RequestOptions) {
    const { row } = await query<{ row: QueuedJob }>(document, variables, options);
    const absolute = urls.ofQueuedJob(row);
    rows.emit(absolute);
    return absolute;
  }

  return {
    async run<Name extends JobName>(
      job: Name,
      parameters: Jobs[Name]["parameters"],
      photos: readonly Reference[] = [],
      options: RunOptions = {},
    ) {
      const { priority, runAt, fresh, idempotencyKey = randomKey(), ...request } = options;
      const photoIds = photos.map(idOf);
      const input = { job, parameters, photoIds, priority, runAt, fresh, idempotencyKey };
      return (await mutate(ENQUEUE, { input }, request)) as QueuedJob<Name>;
    },
    cancel: (queuedJob, options) => mutate(CANCEL, { id: idOf(queuedJob) }, options),
    retry: (queuedJob, options) => mutate(RETRY, { id: idOf(queuedJob) }, { ...ONCE, ...options }),
    async delete(queuedJob, options) {
      await query(DELETE, { id: idOf(queuedJob) }, { ...ONCE, ...options });
    },
  };
}

export const idOf = (reference: Reference): string =>
  typeof reference === "string" ? reference : reference.id;

/** Not crypto.randomUUID(), which browsers offer to secure origins only. */
export const randomKey = (): string => crypto.getRandomValues(new Uint8Array(16)).join("-");
