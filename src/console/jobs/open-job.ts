import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { OutputFile, Query } from "../../../client/src/index.js";
import type { JobList } from "../jobs/job-list.js";
import { QUEUED_JOB } from "../operations.js";
import type { QueuedJobDetails } from "../types.js";

/** The QueuedJob of the address, whose details are open. */
export interface OpenJob {
  readonly id: ReadonlySignal<string | null>;
  /** Details of the open job; null while they load. */
  readonly details: ReadonlySignal<QueuedJobDetails | null>;
  readonly isGone: ReadonlySignal<boolean>;
  close(): void;
}

const AGAIN_MS = 2000;
/** Time before the URLs of its files expire, at which the open job is read again. */
const RENEW_MS = 60_000;

/** The details are read again at each new version. */
export function createOpenJob(
  ask: Query,
  list: JobList,
  id: ReadonlySignal<string | null>,
): OpenJob {
  const details = signal<QueuedJobDetails | null>(null);
  const isGone = signal(false);
  const version = computed(() => {
    const row = id.value === null ? undefined : list.row(id.value);
    return row ? row.value.version : (details.value?.version ?? 0);
  });
  let turn = 0;
  const expiry = createExpiry(() => void readUntilAnswered(id.peek() ?? ""));

  async function read(wanted: string): Promise<void> {
    const started = ++turn;
    const { queuedJob } = await ask<{ queuedJob: QueuedJobDetails | null }>(QUEUED_JOB, {
      id: wanted,
    });
    if (started !== turn || wanted !== id.peek()) return;
    isGone.value = queuedJob === null;
    details.value = queuedJob;
    if (queuedJob) list.take([queuedJob]);
    expiry.watch(queuedJob?.outputs ?? []);
  }

  const readUntilAnswered = (wanted: string): Promise<void> =>
    untilAnswered(
      () => read(wanted),
      () => wanted === id.peek() && !isClosed,
    );

  let [shown, isClosed] = ["", false];
  const stop = effect(() => {
    const wanted = id.value;
    if (wanted !== shown) {
      shown = wanted ?? "";
      details.value = null;
      isGone.value = false;
    }
    // Read in any case, so that this effect runs again at the next version.
    const needed = version.value;
    const known = details.peek();
    const isCurrent = known?.id === wanted && known.version >= needed;
    if (wanted !== null && !isCurrent) void readUntilAnswered(wanted);
  });

  return {
    id,
    details,
    isGone,
    close() {
      stop();
      expiry.close();
      isClosed = true;
    },
  };
}

/** Repeats a read that fails, while it is needed. */
export async function untilAnswered(
  act: () => Promise<void>,
  isNeeded: () => boolean,
): Promise<void> {
  while (isNeeded()) {
    const isAnswered = await act().then(
      () => true,
      () => false,
    );
    if (isAnswered) return;
    await new Promise((resolve) => void setTimeout(resolve, AGAIN_MS));
  }
}

/** Calls back before the signed URLs of files expire. */
function createExpiry(onExpiry: () => void) {
  let timer = 0;
  return {
    watch(files: readonly Pick<OutputFile, "urlExpiresAt">[]): void {
      clearTimeout(timer);
      const first = Math.min(...files.map(({ urlExpiresAt }) => Date.parse(urlExpiresAt)));
      if (files.length > 0)
        timer = window.setTimeout(onExpiry, Math.max(RENEW_MS, first - Date.now() - RENEW_MS));
    },
    close: () => clearTimeout(timer),
  };
}
