import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { QuotaExceededError, UnauthenticatedError } from "../../domain/errors.js";

/** The errors of the quotas of a user, with one wording for all places that check them. */
export const quotaExceeded = {
  unfinished: (most: number) =>
    new QuotaExceededError(
      `Quota exceeded: at most ${most} unfinished QueuedJobs per user; wait until some finish.`,
      5000,
    ),
  uploads: (most: number) =>
    new QuotaExceededError(
      `Quota exceeded: at most ${most} concurrent uploads per user; wait until one has ended.`,
      1000,
    ),
  recordedBytes: (most: number) =>
    new QuotaExceededError(
      `Quota exceeded: at most ${most} bytes of jobs and events per user; ` +
        "delete finished jobs.",
      60_000,
    ),
  storedBytes: (most: number) =>
    new QuotaExceededError(
      `Quota exceeded: at most ${most} bytes of photos and outputs per user; delete some.`,
      60_000,
    ),
};

/**
 * Returns the error for a statement that found no room: `quota`, unless the account was deleted. A
 * deleted account has no counter, which the statement cannot distinguish from a full one.
 */
export async function whyNoRoom(
  sql: Sql,
  userId: string,
  quota: QuotaExceededError,
): Promise<QuotaExceededError | UnauthenticatedError> {
  const counters = await available(() => sql`select from user_streams where user_id = ${userId}`);
  return counters.length > 0 ? quota : UnauthenticatedError.accountDeleted();
}
