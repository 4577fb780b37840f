import {
  execute,
  type ExecutionArgs,
  type ExecutionResult,
  createSourceEventStream,
} from "graphql";
import { withDeadline } from "../../runtime/deadline.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import { asGraphQLError } from "./errors.js";
import { renewContext, withWarnings, type Context } from "../../graphql/context.js";

/**
 * Like `execute`, but a longer operation results in SERVICE_UNAVAILABLE, and its database
 * statements are cancelled.
 */
export function executeInTime(args: ExecutionArgs, ms: number): Promise<ExecutionResult> {
  return withDeadline(
    async () => withWarnings(await execute(args), args.contextValue as Context),
    ms,
    () => ({ errors: [asGraphQLError(tookTooLong(ms))] }),
  );
}

export function tookTooLong(ms: number): ServiceUnavailableError {
  return new ServiceUnavailableError(
    `The operation took more than ${ms / 1000} seconds; it may have been completed or not. ` +
      "Try again in a moment.",
  );
}

/**
 * Like `subscribe` of graphql-js, but each event is executed with a new context, and so with a full
 * answer budget.
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
    done ? { done, value: undefined } : { value: await executeEvent(args, value) };
  // graphql-sse closes only iterators that have all three methods.
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

async function executeEvent(args: ExecutionArgs, event: unknown): Promise<ExecutionResult> {
  const contextValue = renewContext(args.contextValue as Context);
  return withWarnings(await execute({ ...args, rootValue: event, contextValue }), contextValue);
}
