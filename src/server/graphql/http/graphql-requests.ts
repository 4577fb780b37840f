import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ErrorReporter } from "../errors.js";
import { GraphQLError } from "graphql";
import { ServiceError } from "../../../domain/errors.js";
import { LIMITS } from "../../../graphql/limits/limits.js";
import type { Logger } from "../../../runtime/logger.js";
import { headersOf, statusOf } from "../../http/errors.js";

/**
 * Prepares a scope of GraphQL routes. A body that is not JSON is undefined there, and every error
 * is answered as GraphQL in the negotiated media type.
 */
export function takeGraphqlBodies(scope: FastifyInstance, reporter: ErrorReporter): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "string" }, (request, body, done) => {
    done(
      null,
      /^application\/([\w.+-]*\+)?json\b/i.test(request.headers["content-type"] ?? "")
        ? tryParseJson(String(body))
        : undefined,
    );
  });
  scope.setErrorHandler((error, request, reply) =>
    refuseAsGraphql(reporter, request, reply, error),
  );
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Answers a request that failed as a whole, in the negotiated media type. */
export function refuseAsGraphql(
  reporter: ErrorReporter,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  status = statusOf(error),
): FastifyReply {
  const errors = reporter.report([describe(error, status)], () => request.log as Logger);
  const accepts = request.headers.accept?.includes("application/graphql-response+json");
  return reply
    .code(status)
    .headers(headersOf(error))
    .type(`application/${accepts ? "graphql-response+json" : "json"}; charset=utf-8`)
    .send(JSON.stringify({ errors }));
}

/** Describes errors outside the operation: a body that is too long, too slow or incomplete. */
function describe(error: unknown, status: number): unknown {
  if (status === 413)
    return badRequest(`The request is too long: at most ${LIMITS.bytes} bytes.`, {
      limit: "bytes",
    });
  if (status === 408) return badRequest("The request arrived too slowly; send it again.");
  return status >= 500 || error instanceof ServiceError || error instanceof GraphQLError
    ? error
    : badRequest(NOT_GRAPHQL);
}

export const NOT_GRAPHQL = 'Not a GraphQL request: send a JSON object with a "query".';

export function badRequest(message: string, more: object = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "BAD_REQUEST", ...more } });
}
