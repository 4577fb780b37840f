import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { GraphQLError } from "graphql";
import { ServiceError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { ErrorTeller } from "./error-teller.js";
import { retryHeaders, statusOf } from "./http-status.js";

/** Bytes that the body of a request, or a frame of a socket, may have. */
export const MAX_GRAPHQL_BYTES = 256 * 1024;

/** For a scope of routes that speak GraphQL: what is no JSON reaches them as no body, and every fault leaves as GraphQL, in the negotiated media type. */
export function takeGraphqlBodies(scope: FastifyInstance, teller: ErrorTeller): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "string" }, (request, body, done) => {
    done(null, /^application\/([\w.+-]*\+)?json\b/i.test(request.headers["content-type"] ?? "") ? tryParseJson(String(body)) : undefined);
  });
  scope.setErrorHandler((error, request, reply) => refuseGraphql(teller, request, reply, error));
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Answers a request that failed as a whole, in the negotiated media type. */
export function refuseGraphql(teller: ErrorTeller, request: FastifyRequest, reply: FastifyReply, error: unknown, status = statusOf(error)): FastifyReply {
  const errors = teller.tell([inWords(error, status)], () => request.log as Logger);
  const accepts = request.headers.accept?.includes("application/graphql-response+json");
  // The rest of its body is not waited for.
  if (status === 408) reply.header("connection", "close");
  return reply.code(status).headers(retryHeaders(error)).type(`application/${accepts ? "graphql-response+json" : "json"}; charset=utf-8`).send(JSON.stringify({ errors }));
}

/** Faults from around the operation: a body that is too long, comes too slowly or breaks off. */
function inWords(error: unknown, status: number): unknown {
  if (status === 413) return badRequest(`The request is longer than ${MAX_GRAPHQL_BYTES} bytes.`, { limit: "bytes" });
  if (status === 408) return badRequest("The request came too slowly.");
  return status >= 500 || error instanceof ServiceError || error instanceof GraphQLError ? error : badRequest("This is not a GraphQL request.");
}

export function badRequest(message: string, more: object = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "BAD_REQUEST", ...more } });
}
