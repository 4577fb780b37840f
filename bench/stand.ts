// Types and helpers shared by the parts of a round.
import type { Field } from "./field.js";
import type { Cost } from "./process-figures.js";
import type { WorkloadName } from "./read-bench-options.js";
import type { Measurements } from "./report/figures.js";
import type { Rig } from "./rig.js";
import type { Scale } from "./scale.js";

export interface FailedMeasurement {
  /** The contestant, e.g. `naive`. */
  of: string;
  /** E.g. `W9, BullMQ flows: only 9999 of 10000 jobs have ended`. */
  sentence: string;
}

export interface RoundOptions {
  rig: Rig;
  scale: Scale;
  only: ReadonlySet<WorkloadName>;
  /** Every other round runs in reverse order, so that drift favours no contestant. */
  reverse: boolean;
  photos: readonly Buffer[];
  /** Database of the service with `scale.history.many` rows; null without W5. */
  longHistory: string | null;
  serviceEnv: Record<string, string>;
  say: (line: string) => void;
  /** Called for each failed measurement. */
  onFailure: (failure: FailedMeasurement) => void;
}

/** The reader owns the history and the photos; the submitters are the persons from 1. */
export const READER = 0;
export const SUBMITTER = 1;

export type Visit = (
  workload: WorkloadName,
  contestants: Record<string, () => Promise<Cost | void>>,
) => Promise<void>;

export interface Stand {
  field: Field;
  measurements: Measurements;
  visit: Visit;
}

export function withStores(rig: Rig, processes: Record<string, number>): Record<string, number> {
  return { ...processes, postgres: rig.postgres.pid, redis: rig.redis.pid };
}

export function mapValues<T, U>(
  record: Record<string, T>,
  change: (value: T, key: string) => U,
): Record<string, U> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, change(value, key)]),
  );
}
