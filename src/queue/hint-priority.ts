const LOWEST = 2 ** 21 - 1;

/** One's own order by priority is exact within so many. */
export const HINT_BLOCK = 16;

/**
 * BullMQ's priority (1 runs first) of a hint. An owner's hints stand in blocks of 16 by how many
 * they already have waiting, so that one's own order by priority is exact within a block, and
 * another user's first is always in the front block.
 * @param priority of the QueuedJob, 0 to 100, higher first
 * @param backlog unfinished QueuedJobs that the owner had of at least this priority
 */
export function hintPriority(priority: number, backlog: number): number {
  return Math.min(LOWEST, 1 + Math.floor(backlog / HINT_BLOCK) * 101 + (100 - priority));
}
