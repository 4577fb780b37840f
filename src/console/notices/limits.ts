import { signal, type ReadonlySignal } from "@preact/signals";
import type { Query } from "../../../client/src/index.js";
import { LIMITS_NOW } from "../operations.js";
import type { Job, Limits } from "../types.js";

export interface LimitsNow {
  me: { limits: Limits };
  jobs: { nodes: Pick<Job, "name" | "paused">[] };
}

export interface Standing {
  readonly limits: ReadonlySignal<Limits>;
  /** Names of the Jobs that an operator has paused. */
  readonly pausedJobs: ReadonlySignal<readonly string[]>;
  refresh(): void;
}

const INTERVAL_MS = 1500;

/** The limits and pauses, read again after events that may change them, but not at every event. */
export function createStanding(ask: Query, first: LimitsNow): Standing {
  const limits = signal(first.me.limits);
  const pausedJobs = signal(pausedAmong(first));
  let timer: ReturnType<typeof setTimeout> | null = null;
  const read = async (): Promise<void> => {
    timer = null;
    const answer = await ask<LimitsNow>(LIMITS_NOW).catch(() => null);
    if (!answer) return;
    limits.value = answer.me.limits;
    pausedJobs.value = pausedAmong(answer);
  };
  return {
    limits,
    pausedJobs,
    refresh: () => {
      timer ??= setTimeout(() => void read(), INTERVAL_MS);
    },
  };
}

function pausedAmong({ jobs }: LimitsNow): string[] {
  return jobs.nodes.filter(({ paused }) => paused).map(({ name }) => name);
}
