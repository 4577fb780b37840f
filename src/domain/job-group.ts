export const JOB_GROUP_STATUSES = ["RUNNING", "SUCCESS", "FAILED", "CANCELLED"] as const;
export type JobGroupStatus = (typeof JOB_GROUP_STATUSES)[number];

/** Maximum members of a group. */
export const MAX_GROUP_JOBS = 500;

/** QueuedJobs submitted together, as the group is now or as it was at an event. */
export interface JobGroup {
  id: string;
  userId: string;
  name: string | null;
  total: number;
  pending: number;
  started: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  // Instants, RFC 3339.
  createdAt: string;
  finishedAt: string | null;
  expiresAt: string | null;
  /** Mean progress of the members at an event; absent if no unfinished member has any. */
  progress?: number;
  /** True if it was read from its row, so that its members show its progress; absent in events. */
  live?: true;
}

/** The place of a QueuedJob in its group. */
export interface GroupMember {
  key: string;
  /** Number of predecessors that have not finished. */
  waitingFor: number;
  /** True if predecessors make some of its photos. */
  takesPhotos: boolean;
  group: JobGroup;
}

export function jobGroupStatus({
  pending,
  started,
  failed,
  cancelled,
}: Pick<JobGroup, "pending" | "started" | "failed" | "cancelled">): JobGroupStatus {
  if (pending + started > 0) return "RUNNING";
  if (failed > 0) return "FAILED";
  return cancelled > 0 ? "CANCELLED" : "SUCCESS";
}
