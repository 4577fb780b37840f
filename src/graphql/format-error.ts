// The one place where errors become what clients are told, at every door that speaks GraphQL: a
// code of the contract and a sentence, and of everything that nobody foresaw nothing but "Internal
// server error".
import { GraphQLError, type GraphQLFormattedError } from "graphql";
import {
  InvalidInputError,
  QuotaExceededError,
  ServiceError,
  type InputIssue,
} from "../domain/errors.js";
import { LIMITS } from "./limits/limits.js";

/**
 * Codes of frameworks that stand for one of the contract's; what is in neither list is internal.
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

/** A value that a framework quotes may be as long as the request. */
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
 * Of variables that do not fit graphql-js tells what would, and only its own `hideSuggestions`,
 * which Apollo does not hand on, keeps it from that: so it is cut off, at every door.
 */
export function withoutSuggestion(error: unknown): unknown {
  return error instanceof GraphQLError
    ? Object.assign(error, { message: error.message.replace(/ Did you mean [^?]*\?$/, "") })
    : error;
}

/** Whether clients are told nothing about it, so that it must be logged. */
export function isInternal(error: unknown): boolean {
  return !(rootOf(error) instanceof ServiceError) && codeOf(error) === null;
}

/** What was thrown first, before executors wrapped it. */
function rootOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootOf(error.originalError) : error;
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof GraphQLError)) return null;
  const code = error.extensions["code"];
  if (typeof code === "string") return CODES[code] ?? null;
  // Without a path it is none of a field: the variables did not fit the operation.
  return error.path === undefined ? "BAD_USER_INPUT" : null;
}

/** graphql-js says so in its text only, as a fault of syntax. */
function isTooLong(error: unknown): boolean {
  return (
    error instanceof GraphQLError &&
    /^Syntax Error: Document contains more that \d+ tokens/.test(error.message)
  );
}

/** Of a limit that an operation exceeds, its name. */
function limitOf(error: unknown): { limit?: unknown } {
  const limit = error instanceof GraphQLError ? error.extensions["limit"] : undefined;
  return limit === undefined ? {} : { limit };
}

function extensionsOf(error: ServiceError): object {
  if (error instanceof InvalidInputError) return { issues: error.issues };
  if (error instanceof QuotaExceededError) return { retryAfterMs: error.retryAfterMs };
  return {};
}

/** graphql-js names the place within a variable in its text only: `at "input.photoIds[0]"`. */
function issueOf(message: string): InputIssue {
  const [, inside = ""] = / at "[^".[]*([^"]*)"/.exec(message) ?? [];
  const path = [...inside.matchAll(/\.([^.[]+)|\[(\d+)\]/g)].map(
    ([, key, index]) => key ?? Number(index),
  );
  return { path, message };
}
