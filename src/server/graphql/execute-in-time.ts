import { execute, type ExecutionArgs, type ExecutionResult } from "graphql";
import { withDeadline } from "../../runtime/deadline.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import { asGraphQLError } from "../http/as-graphql-error.js";

/**
 * As `execute`; an operation that takes longer is answered SERVICE_UNAVAILABLE, and what it asks of
 * the database ends.
 */
export function executeInTime(args: ExecutionArgs, ms: number): Promise<ExecutionResult> {
  return withDeadline(
    async () => execute(args),
    ms,
    () => ({ errors: [asGraphQLError(tookTooLong(ms))] }),
  );
}

export function tookTooLong(ms: number): ServiceUnavailableError {
  return new ServiceUnavailableError(
    `It took more than ${ms / 1000} seconds; whether it was done is unknown. Try again ` +
      "in a moment.",
  );
}
