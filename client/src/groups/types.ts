import type { JobName, Jobs } from "../generated/jobs.js";
import type { Reference } from "../queued-jobs.js";
import type { QueuedJob, QueuedJobEventType, QueuedJobState } from "../types.js";

/** The Job of each key of a group. */
export type JobsByKey = Record<string, JobName>;

/** Optional where the Job requires no parameter. */
type ParametersOf<Name extends JobName> =
  Record<never, never> extends Jobs[Name]["parameters"]
    ? { parameters?: Jobs[Name]["parameters"] | undefined }
    : { parameters: Jobs[Name]["parameters"] };

/** One job of a group. `Key` are the keys of the group. */
export type GroupJob<Name extends JobName = JobName, Key extends string = string> = {
  job: Name;
  /** Photos of the user; the pictures of `photosFrom` come behind them. */
  photos?: readonly Reference[] | undefined;
  /** Jobs whose pictures this one takes: all of them, or the outputs that are named. */
  photosFrom?: readonly (Key | { key: Key; outputs?: readonly string[] | undefined })[] | undefined;
  /** Jobs that finish before this one starts; those of `photosFrom` do so anyway. */
  after?: readonly Key[] | undefined;
  /** CANCEL (default) cancels it when one that it follows does not succeed; RUN runs it. */
  ifPredecessorFails?: "CANCEL" | "RUN" | undefined;
  /** 0 (default) to 100; higher runs first. */
  priority?: number | undefined;
  /** Earliest start. */
  runAt?: Date | string | undefined;
  /** Do the work even if the result of an identical earlier submission could be reused. */
  fresh?: boolean | undefined;
} & ParametersOf<Name>;

export type JobGroupStatus = "RUNNING" | "SUCCESS" | "FAILED" | "CANCELLED";

/** Exists in types only. */
declare const KEYS: unique symbol;

/** QueuedJobs that were submitted together. */
export interface JobGroup<Keys extends JobsByKey = JobsByKey> {
  id: string;
  name: string | null;
  /** Finished when all jobs are: SUCCESS if all succeeded, FAILED if any failed. */
  status: JobGroupStatus;
  /** Number of jobs; the five counts below add up to it. */
  total: number;
  pending: number;
  started: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  /** 0 to 1; finished jobs count as 1. */
  progress: number;
  createdAt: string;
  finishedAt: string | null;
  expiresAt: string | null;
  readonly [KEYS]?: Keys;
}

interface Member {
  key: string;
  /** Number of jobs that must finish before it is due. */
  waitingFor: number;
}

/** A QueuedJob of a group. */
export type GroupMember<Name extends JobName = JobName> = QueuedJob<Name> & Member;

export interface GroupEvent<Keys extends JobsByKey = JobsByKey> {
  cursor: string;
  type: QueuedJobEventType;
  at: string;
  /** The job as it was at this step, without parameters and photos. */
  queuedJob: QueuedJobState &
    Member & {
      key: keyof Keys & string;
      /** With the counts of this very step; null when the group is deleted. */
      group: JobGroup<Keys> | null;
    };
}

/** The jobs of a group, by key. */
export type GroupJobs<Keys extends JobsByKey> = { [Key in keyof Keys]: GroupMember<Keys[Key]> };
