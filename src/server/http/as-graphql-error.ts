import { GraphQLError } from "graphql";
import { isInternal } from "../../graphql/format-error.js";

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
