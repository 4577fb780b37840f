import {
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  createSourceEventStream,
} from "graphql";
import { withDeadline } from "../../runtime/deadline.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import { asGraphQLError } from "./errors.js";
import { renewContext, type Context } from "../../graphql/context.js";

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

/**
 * As that of graphql-js, but each event is executed with a context of its own: what its answer may
 * take is its own, too.
 */
export async function subscribe(
  args: ExecutionArgs,
): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source = await createSourceEventStream(args);
  if (!("next" in source)) return source as ExecutionResult;
  const events = source as AsyncGenerator<unknown>;
  const toResult = async ({
    done,
    value,
  }: IteratorResult<unknown>): Promise<IteratorResult<ExecutionResult>> =>
    done
      ? { done, value: undefined }
      : {
          value: await execute({
            ...args,
            rootValue: value,
            contextValue: renewContext(args.contextValue as Context),
          }),
        };
  // graphql-sse closes what has all three of them.
  const results = {
    next: async () => toResult(await events.next()),
    async return() {
      await events.return(undefined);
      return { done: true, value: undefined } as const;
    },
    async throw(error: unknown): Promise<never> {
      await events.return(undefined);
      throw error;
    },
    [Symbol.asyncIterator]: () => results,
  };
  return results;
}
