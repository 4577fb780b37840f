import { GraphQLError, type GraphQLFormattedError } from "graphql";
import { formatError, isInternal, withoutSuggestion } from "../../graphql/format-error.js";
import type { Logger } from "../../runtime/logger.js";

/** How errors leave the service through GraphQL, by whichever door. */
export interface ErrorReporter {
  /**
   * As clients are told them: those that nobody foresaw are logged, with `place`, and each is
   * counted.
   */
  tell(errors: readonly unknown[], log: () => Logger, place?: object): GraphQLFormattedError[];
  /** The two halves of `tell`, for Apollo, which asks for them at two moments. */
  log(errors: readonly unknown[], log: () => Logger, place?: object): void;
  mask(error: unknown): GraphQLFormattedError;
}

/** `onError`: an error was told, with this code. */
export function createErrorReporter({
  production,
  onError,
}: {
  production: boolean;
  onError: (code: string) => void;
}): ErrorReporter {
  function mask(error: unknown): GraphQLFormattedError {
    const told = formatError(production ? withoutSuggestion(error) : error);
    onError(String(told.extensions?.["code"]));
    return told;
  }

  function log(errors: readonly unknown[], logger: () => Logger, place?: object): void {
    for (const error of errors)
      if (isInternal(error))
        logger().error({ ...place, ...whereAndWhy(error) }, "an operation failed");
  }

  return {
    mask,
    log,
    tell(errors, logger, place) {
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

/** What was thrown around an operation, where GraphQL wants an error of its own. */
export function asGraphQLError(
  error: unknown,
  extensions: Record<string, unknown> = {},
): GraphQLError {
  return new GraphQLError("", {
    originalError: error as Error,
    extensions: { ...extensions, ...(isInternal(error) && { code: "INTERNAL_SERVER_ERROR" }) },
  });
}
