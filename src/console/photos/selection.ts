import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";
import type { Query } from "../../../client/src/index.js";
import type { JobList } from "../jobs/job-list.js";
import { QUEUED_JOB } from "../operations.js";
import type { QueuedJobDetails } from "../types.js";

export interface Selection {
  readonly id: ReadonlySignal<string | null>;
  /** Details of the selected job; null while they load. */
  readonly details: ReadonlySignal<QueuedJobDetails | null>;
  readonly isGone: ReadonlySignal<boolean>;
  select(id: string | null): void;
  close(): void;
}

const AGAIN_MS = 2000;

/** The selected QueuedJob. Its details are read again at each new version. */
export function createSelection(ask: Query, list: JobList): Selection {
  const id = signal<string | null>(null);
  const details = signal<QueuedJobDetails | null>(null);
  const isGone = signal(false);
  const version = computed(() =>
    id.value === null ? 0 : (list.row(id.value)?.value.version ?? 0),
  );
  let turn = 0;

  async function read(wanted: string): Promise<void> {
    const started = ++turn;
    const { queuedJob } = await ask<{ queuedJob: QueuedJobDetails | null }>(QUEUED_JOB, {
      id: wanted,
    });
    if (started !== turn || wanted !== id.peek()) return;
    isGone.value = queuedJob === null;
    details.value = queuedJob;
    if (queuedJob) list.take([queuedJob]);
  }

  async function readUntilAnswered(wanted: string): Promise<void> {
    while (wanted === id.peek()) {
      if (
        await read(wanted).then(
          () => true,
          () => false,
        )
      )
        return;
      await new Promise((resolve) => {
        setTimeout(resolve, AGAIN_MS);
      });
    }
  }

  const stop = effect(() => {
    const wanted = id.value;
    if (version.value >= 0 && wanted !== null) void readUntilAnswered(wanted);
  });

  return {
    id,
    details,
    isGone,
    select(chosen) {
      if (chosen === id.value) return;
      details.value = null;
      isGone.value = false;
      id.value = chosen;
    },
    close() {
      stop();
      id.value = null;
    },
  };
}
