import type { FastifyReply, FastifyRequest } from "fastify";
import { QuotaExceededError, ServiceError } from "../../domain/errors.js";
import { headersOf, statusOf } from "./http-status.js";

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
