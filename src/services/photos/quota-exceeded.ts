import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { QuotaExceededError, UnauthenticatedError } from "../../domain/errors.js";

/** What is told of each quota of a user, wherever it is met. */
export const quotaExceeded = {
  unfinished: (most: number) =>
    new QuotaExceededError(
      `You have ${most} unfinished QueuedJobs at most; wait until some have finished.`,
      5000,
    ),
  uploads: (most: number) =>
    new QuotaExceededError(
      `You have ${most} uploads under way at most; wait until one of them has ended.`,
      1000,
    ),
  recordedBytes: (most: number) =>
    new QuotaExceededError(
      `Your jobs and their events may take ${most} bytes in the database at most; delete ` +
        "finished jobs first.",
      60_000,
    ),
  storedBytes: (most: number) =>
    new QuotaExceededError(
      `Your photos and outputs may take ${most} bytes at most; delete some first.`,
      60_000,
    ),
};

/**
 * Why a statement found no room for what a user adds: `quota`, unless they were deleted elsewhere
 * and have no counter, which it cannot tell from a full one.
 */
export async function whyNoRoom(
  sql: Sql,
  userId: string,
  quota: QuotaExceededError,
): Promise<QuotaExceededError | UnauthenticatedError> {
  const counters = await available(() => sql`select from user_streams where user_id = ${userId}`);
  return counters.length > 0 ? quota : UnauthenticatedError.accountDeleted();
}
