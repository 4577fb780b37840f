// The only place that formats errors for GraphQL clients, over HTTP, WebSocket and Server-Sent
// Events. An expected error has a code of the contract and a message. Every other error becomes
// "Internal server error".
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import {
  InvalidInputError,
  QuotaExceededError,
  ServiceError,
  type InputIssue,
} from "../domain/errors.js";
import { LIMITS } from "./limits/limits.js";

/**
 * Maps the codes of frameworks to codes of the contract. An error with another code is internal.
 */
const CODES: Record<string, string> = {
  GRAPHQL_PARSE_FAILED: "GRAPHQL_PARSE_FAILED",
  GRAPHQL_VALIDATION_FAILED: "GRAPHQL_VALIDATION_FAILED",
  OPERATION_RESOLUTION_FAILURE: "GRAPHQL_VALIDATION_FAILED",
  BAD_USER_INPUT: "BAD_USER_INPUT",
  BAD_REQUEST: "BAD_REQUEST",
  PERSISTED_QUERY_NOT_FOUND: "BAD_REQUEST",
  PERSISTED_QUERY_NOT_SUPPORTED: "BAD_REQUEST",
};

/** Maximum characters of a message: frameworks quote values that can be as long as the request. */
const MAX_MESSAGE = 500;

export function formatError(error: unknown): GraphQLFormattedError {
  const root = rootOf(error);
  const place =
    error instanceof GraphQLError
      ? {
          ...(error.locations && { locations: error.locations }),
          ...(error.path && { path: error.path }),
        }
      : {};
  if (root instanceof ServiceError)
    return {
      message: root.message,
      ...place,
      extensions: { code: root.code, ...extensionsOf(root) },
    };
  if (isTooLong(error))
    return {
      message: `The document has more than ${LIMITS.tokens} tokens.`,
      ...place,
      extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit: "tokens" },
    };
  const code = codeOf(error);
  if (code === null)
    return {
      message: "Internal server error",
      ...place,
      extensions: { code: "INTERNAL_SERVER_ERROR" },
    };
  const message = error instanceof Error ? error.message.slice(0, MAX_MESSAGE) : "";
  return {
    message,
    ...place,
    extensions: {
      code,
      ...(code === "BAD_USER_INPUT" && { issues: [issueOf(message)] }),
      ...limitOf(error),
    },
  };
}

/**
 * Removes the suggestion that graphql-js adds for wrong variables. Its option `hideSuggestions`
 * would do it, but Apollo does not pass it on.
 */
export function withoutSuggestion(error: unknown): unknown {
  return error instanceof GraphQLError
    ? Object.assign(error, { message: error.message.replace(/ Did you mean [^?]*\?$/, "") })
    : error;
}

/** True for an error that is masked for clients and therefore must be logged. */
export function isInternal(error: unknown): boolean {
  return !(rootOf(error) instanceof ServiceError) && codeOf(error) === null;
}

/** Returns the error that was thrown first, before executors wrapped it. */
function rootOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootOf(error.originalError) : error;
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof GraphQLError)) return null;
  const code = error.extensions["code"];
  if (typeof code === "string") return CODES[code] ?? null;
  // An error without a path does not come from a field: the variables had wrong types.
  return error.path === undefined ? "BAD_USER_INPUT" : null;
}

/** graphql-js reports this as a syntax error, recognizable only by its text. */
function isTooLong(error: unknown): boolean {
  return (
    error instanceof GraphQLError &&
    /^Syntax Error: Document contains more that \d+ tokens/.test(error.message)
  );
}

function limitOf(error: unknown): { limit?: unknown } {
  const limit = error instanceof GraphQLError ? error.extensions["limit"] : undefined;
  return limit === undefined ? {} : { limit };
}

function extensionsOf(error: ServiceError): object {
  if (error instanceof InvalidInputError) return { issues: error.issues };
  if (error instanceof QuotaExceededError) return { retryAfterMs: error.retryAfterMs };
  return {};
}

/** graphql-js reports the path within a variable only in its text: `at "input.photoIds[0]"`. */
function issueOf(message: string): InputIssue {
  const [, inside = ""] = / at "[^".[]*([^"]*)"/.exec(message) ?? [];
  const path = [...inside.matchAll(/\.([^.[]+)|\[(\d+)\]/g)].map(
    ([, key, index]) => key ?? Number(index),
  );
  return { path, message };
}
