import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLFormattedError } from "graphql";
import { ServiceError } from "../errors.js";
import { formatError, isInternal } from "../graphql/format-error.js";
import { retryHeaders, statusOf } from "./http-status.js";

/** Bytes that the body of a request, or a frame of a socket, may have. */
export const MAX_GRAPHQL_BYTES = 256 * 1024;

/** For a scope of routes that speak GraphQL: what is no JSON reaches them as no body, and every fault leaves as GraphQL, in the negotiated media type. */
export function takeGraphqlBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "string" }, (request, body, done) => {
    done(null, /^application\/([\w.+-]*\+)?json\b/i.test(request.headers["content-type"] ?? "") ? tryParseJson(String(body)) : undefined);
  });
  scope.setErrorHandler((error, request, reply) => refuse(request, reply, error));
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Faults from around the operation: a body that is too long, comes too slowly or breaks off, too many requests, an answer that takes too long. */
function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const status = statusOf(error);
  if (status >= 500 && isInternal(error)) request.log.error({ err: error }, "a request failed");
  // The rest of its body is not waited for.
  if (status === 408) reply.header("connection", "close");
  return sendGraphqlError(request, reply.headers(retryHeaders(error)), status, tell(error, status));
}

function tell(error: unknown, status: number): GraphQLFormattedError {
  if (status === 413) return { message: `The request is longer than ${MAX_GRAPHQL_BYTES} bytes.`, extensions: { code: "BAD_REQUEST", limit: "bytes" } };
  if (status === 408) return { message: "The request came too slowly.", extensions: { code: "BAD_REQUEST" } };
  if (status >= 500 || error instanceof ServiceError) return formatError(error);
  return { message: "This is not a GraphQL request.", extensions: { code: "BAD_REQUEST" } };
}

export function sendGraphqlError(request: FastifyRequest, reply: FastifyReply, status: number, error: object): FastifyReply {
  const accepts = request.headers.accept?.includes("application/graphql-response+json");
  return reply.code(status).type(`application/${accepts ? "graphql-response+json" : "json"}; charset=utf-8`).send(JSON.stringify({ errors: [error] }));
}
