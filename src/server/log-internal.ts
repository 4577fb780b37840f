import type { GraphQLError } from "graphql";
import type { Context } from "../graphql/context.js";
import { isInternal } from "../graphql/format-error.js";

/** Logs what nobody foresaw of an operation that was answered over HTTP, by Apollo or without it. */
export function logInternal(errors: readonly GraphQLError[], { log, user }: Context, operationName: string | null | undefined): void {
  for (const error of errors) if (isInternal(error)) log().error({ err: error.originalError ?? error, path: error.path, operationName, userId: user.id }, "an operation failed");
}
