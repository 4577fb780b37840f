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

/** When to try again what the service could not do: no store says how long it will be away. */
const UNAVAILABLE_SECONDS = 2;

/** Of a request that failed as a whole. */
export function statusOf(error: unknown): number {
  if (error instanceof ServiceError)
    return STATUS.find(([kind]) => error instanceof kind)?.[1] ?? 400;
  // The integration reads the address of the request, which need not be one.
  if (error instanceof TypeError && "code" in error && error.code === "ERR_INVALID_URL") return 400;
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number"
    ? error.statusCode
    : 500;
}

/**
 * What could not be done for want of PostgreSQL, or was not begun, is no success to a client that
 * looks at the status alone.
 */
export function statusOfResult(
  { data, errors }: { data?: unknown; errors?: readonly GraphQLFormattedError[] | undefined },
  status = 200,
): number {
  if (errors?.some((error) => error.extensions?.["code"] === "SERVICE_UNAVAILABLE")) return 503;
  return data === undefined && status === 200 ? 400 : status;
}

/**
 * Of a request that failed: where it is worth another try, in how many seconds; and the rest of a
 * body that comes too slowly is not waited for.
 */
export function headersOf(error: unknown): Record<string, string> {
  if (error instanceof TooSlowError) return { connection: "close" };
  if (error instanceof ServiceUnavailableError)
    return { "retry-after": String(UNAVAILABLE_SECONDS) };
  return error instanceof QuotaExceededError
    ? { "retry-after": String(Math.ceil(error.retryAfterMs / 1000)) }
    : {};
}

/** Answers a request that failed, where no GraphQL is spoken: `{ code, message }`. */
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
    return answer.send({ code: "BAD_REQUEST", message: "The request cannot be understood." });
  request.log.error({ err: error }, "a request failed");
  return answer.send({ code: "INTERNAL_SERVER_ERROR", message: "Internal server error" });
}
