// What the parts of a round share.
import type { Field } from "./field.js";
import type { Cost } from "./process-figures.js";
import type { WorkloadName } from "./read-bench-options.js";
import type { Figures } from "./report/figures.js";
import type { Rig } from "./rig.js";
import type { Scale } from "./scale.js";

export interface RoundOptions {
  rig: Rig;
  scale: Scale;
  only: ReadonlySet<WorkloadName>;
  /** For every other round the other way round, so that what drifts favours nobody. */
  reverse: boolean;
  photos: readonly Buffer[];
  /** A database of the service with `scale.history.many` rows; null: W5 is not wanted. */
  longHistory: string | null;
  serviceEnv: Record<string, string>;
  say: (line: string) => void;
  /** What could not be measured. */
  onFailure: (sentence: string) => void;
}

/** Whose page is read, who owns history and photos; and the others, whose tables grow. */
export const READER = 0;
export const SUBMITTER = 1;

export type Visit = (
  workload: WorkloadName,
  contestants: Record<string, () => Promise<Cost | void>>,
) => Promise<void>;

export interface Stand {
  field: Field;
  figures: Figures;
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
