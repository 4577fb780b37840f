import { GraphQLError, type GraphQLFormattedError } from "graphql";
import { formatError, isInternal, withoutSuggestion } from "../../graphql/format-error.js";
import type { Logger } from "../../runtime/logger.js";

/** Formats, counts and logs errors for all GraphQL transports. */
export interface ErrorReporter {
  /**
   * Formats errors for clients and counts each one. Internal errors are logged together with
   * `place`.
   */
  report(errors: readonly unknown[], log: () => Logger, place?: object): GraphQLFormattedError[];
  /** The two steps of `report`, which Apollo calls separately. */
  log(errors: readonly unknown[], log: () => Logger, place?: object): void;
  mask(error: unknown): GraphQLFormattedError;
}

/** `onError` is called with the code of each formatted error. */
export function createErrorReporter({
  production,
  onError,
}: {
  production: boolean;
  onError: (code: string) => void;
}): ErrorReporter {
  function mask(error: unknown): GraphQLFormattedError {
    const formatted = formatError(production ? withoutSuggestion(error) : error);
    onError(String(formatted.extensions?.["code"]));
    return formatted;
  }

  function log(errors: readonly unknown[], logger: () => Logger, place?: object): void {
    for (const error of errors)
      if (isInternal(error))
        logger().error({ ...place, ...whereAndWhy(error) }, "an operation failed");
  }

  return {
    mask,
    log,
    report(errors, logger, place) {
      log(errors, logger, place);
      return errors.map(mask);
    },
  };
}

function whereAndWhy(error: unknown): { err: unknown; path?: unknown } {
  return error instanceof GraphQLError
    ? { err: error.originalError ?? error, path: error.path }
    : { err: error };
}

/** Wraps an error from outside the execution where GraphQL requires a GraphQLError. */
export function asGraphQLError(
  error: unknown,
  extensions: Record<string, unknown> = {},
): GraphQLError {
  return new GraphQLError("", {
    originalError: error as Error,
    extensions: { ...extensions, ...(isInternal(error) && { code: "INTERNAL_SERVER_ERROR" }) },
  });
}
