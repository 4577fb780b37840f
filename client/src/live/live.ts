import { createChannel } from "../channel.js";
import type { PhotoServiceError } from "../errors.js";
import { backOff, pause } from "../transport/repeat.js";

/** A value that changes, in the form that React's useSyncExternalStore takes. */
export interface Live<Snapshot> {
  /** The current value; the same object until something changes. */
  getSnapshot(): Snapshot;
  /** Calls back after each change; the first subscriber starts it, the last one stops it. */
  subscribe(listener: () => void): () => void;
}

export interface LiveStore<Snapshot> extends Live<Snapshot> {
  update(changes: Partial<Snapshot>): void;
}

interface Source {
  /** Called with the first subscriber; the returned function when the last one has left. */
  listen(): () => unknown;
  /** Keeps the value current until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Shows why `run` has failed; returns true if it should run again. */
  onError(error: unknown): boolean;
}

export function createLive<Snapshot extends object>(
  initial: Snapshot,
  source: Source,
): LiveStore<Snapshot> {
  const { listen, emit } = createChannel<void>();
  let snapshot = initial;
  let subscribers = 0;
  let running: AbortController;
  return {
    getSnapshot: () => snapshot,
    update(changes) {
      snapshot = { ...snapshot, ...changes };
      emit();
    },
    subscribe(listener) {
      const stop = listen(listener);
      if (subscribers++ === 0) {
        running = new AbortController();
        void keepRunning(source, running.signal);
      }
      return () => {
        if (stop() && --subscribers === 0) running.abort();
      };
    },
  };
}

async function keepRunning({ listen, run, onError }: Source, signal: AbortSignal): Promise<void> {
  signal.addEventListener("abort", listen());
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await run(signal);
    } catch (error) {
      if (signal.aborted || !onError(error)) return;
      await pause((error as PhotoServiceError).retryAfterMs ?? backOff(failures), signal);
    }
  }
}
