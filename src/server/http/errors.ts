import type { GraphQLFormattedError } from "graphql";
import {
  PhotoTooLargeError,
  PhotoUnreadableError,
  QuotaExceededError,
  ServiceError,
  ServiceUnavailableError,
  TooSlowError,
  UnauthenticatedError,
} from "../../domain/errors.js";
import type { FastifyReply, FastifyRequest } from "fastify";

const STATUS: [new (...args: never[]) => ServiceError, number][] = [
  [UnauthenticatedError, 401],
  [TooSlowError, 408],
  [PhotoTooLargeError, 413],
  [PhotoUnreadableError, 415],
  [QuotaExceededError, 429],
  [ServiceUnavailableError, 503],
];

/** The `retry-after` of unavailable stores, which do not report when they return. */
const UNAVAILABLE_SECONDS = 2;

/** Returns the HTTP status of a request that failed as a whole. */
export function statusOf(error: unknown): number {
  if (error instanceof ServiceError)
    return STATUS.find(([kind]) => error instanceof kind)?.[1] ?? 400;
  // Apollo's integration parses the request's URL, which can be invalid.
  if (error instanceof TypeError && "code" in error && error.code === "ERR_INVALID_URL") return 400;
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : 500;
}

/**
 * Returns the HTTP status of a result. A client that only checks the status must not take
 * unavailability, or an operation that was not executed, for a success.
 */
export function statusOfResult(
  { data, errors }: { data?: unknown; errors?: readonly GraphQLFormattedError[] | undefined },
  status = 200,
): number {
  if (errors?.some((error) => error.extensions?.["code"] === "SERVICE_UNAVAILABLE")) return 503;
  return data === undefined && status === 200 ? 400 : status;
}

/**
 * Returns the headers of a failed request: `retry-after` when a retry makes sense. A slow request's
 * connection is closed, since the rest of its body is not read.
 */
export function headersOf(error: unknown): Record<string, string> {
  if (error instanceof TooSlowError) return { connection: "close" };
  if (error instanceof ServiceUnavailableError)
    return { "retry-after": String(UNAVAILABLE_SECONDS) };
  return error instanceof QuotaExceededError
    ? { "retry-after": String(Math.ceil(error.retryAfterMs / 1000)) }
    : {};
}

/** Answers a failed request outside GraphQL with `{ code, message }`. */
export function refuseAsJson(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): FastifyReply {
  const status = statusOf(error);
  const answer = reply.code(status).headers(headersOf(error));
  if (error instanceof ServiceError)
    return answer.send({
      code: error.code,
      message: error.message,
      ...(error instanceof QuotaExceededError && { retryAfterMs: error.retryAfterMs }),
    });
  if (status < 500)
    return answer.send({ code: "BAD_REQUEST", message: "The request is malformed or too large." });
  request.log.error({ err: error }, "a request failed");
  return answer.send({ code: "INTERNAL_SERVER_ERROR", message: "Internal server error" });
}
