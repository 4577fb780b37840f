import { QuotaExceededError } from "../errors.js";

/** What is told of each quota of a user, wherever it is met. */
export const quotaExceeded = {
  unfinished: (most: number) => new QuotaExceededError(`You have ${most} unfinished QueuedJobs at most; wait until some have finished.`, 5000),
  storedBytes: (most: number) => new QuotaExceededError(`Your photos and outputs may take ${most} bytes at most; delete some first.`, 60_000),
};
