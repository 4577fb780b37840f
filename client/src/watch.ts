import type { JobName } from "./generated/jobs.js";
import { merged } from "./live/job-rows.js";
import { EVENTS } from "./operations.js";
import type { Events } from "./transport/follow.js";
import { isFinished, type QueuedJob, type QueuedJobEvent, type SentEvent } from "./types.js";
import type { Urls } from "./urls.js";

export interface WatchOptions {
  signal?: AbortSignal | undefined;
}

/**
 * The events of one QueuedJob, from its last one until it finishes, across lost connections and
 * restarts of the service. Throws CursorExpiredError after a longer pause than events are kept.
 */
export type Watch = <Name extends JobName>(
  queuedJob: QueuedJob<Name>,
  options?: WatchOptions,
) => AsyncIterableIterator<QueuedJobEvent<Name>>;

export function createWatch({ events, urls }: { events: Events; urls: Urls }): Watch {
  return <Name extends JobName>(queuedJob: QueuedJob<Name>, { signal }: WatchOptions = {}) =>
    iterate<QueuedJobEvent<Name>>(
      (push, ended) =>
        events.follow<SentEvent>(EVENTS, {
          after: null,
          queuedJobId: queuedJob.id,
          signal: ended,
          onEvent: (event) =>
            push({
              ...event,
              queuedJob: merged(queuedJob, urls.ofQueuedJob(event.queuedJob)) as QueuedJob<Name>,
            }),
        }),
      signal,
    );
}

/** Resolves with the QueuedJob in its final state; only a finished one can be deleted. */
export async function finished<Name extends JobName>(
  watch: Watch,
  queuedJob: QueuedJob<Name>,
  options?: WatchOptions,
): Promise<QueuedJob<Name>> {
  let last = queuedJob;
  if (!isFinished(last)) for await (const event of watch(last, options)) last = event.queuedJob;
  return last;
}

/** Turns pushed items into an iterator. A consumer that leaves the loop aborts the source. */
export async function* iterate<Item>(
  start: (push: (item: Item) => void, ended: AbortSignal) => Promise<void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, void, undefined> {
  const items: Item[] = [];
  const source = new AbortController();
  const abort = (): void => source.abort();
  let isOver = false;
  let wake = (): void => {};
  signal?.throwIfAborted();
  signal?.addEventListener("abort", abort);
  const end = start((item) => {
    items.push(item);
    wake();
  }, source.signal).finally(() => {
    isOver = true;
    wake();
  });
  // The loop below awaits it; until then a rejection must not count as unhandled.
  end.catch(() => {});
  try {
    for (;;) {
      while (items.length > 0) yield* items.splice(0);
      if (isOver) break;
      await new Promise<void>((resolve) => (wake = resolve));
    }
    await end;
    signal?.throwIfAborted();
  } finally {
    signal?.removeEventListener("abort", abort);
    source.abort();
  }
}
