import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { formatError } from "../graphql/format-error.js";

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

/** Faults from before the operation: a body that is too long, or that breaks off. */
function refuse(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const status = error instanceof Error && "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status >= 500) request.log.error({ err: error }, "a request failed");
  const message = status === 413 ? `The request is longer than ${MAX_GRAPHQL_BYTES} bytes.` : "This is not a GraphQL request.";
  return sendGraphqlError(request, reply, status, status >= 500 ? formatError(error) : { message, extensions: { code: "BAD_REQUEST" } });
}

export function sendGraphqlError(request: FastifyRequest, reply: FastifyReply, status: number, error: object): FastifyReply {
  const accepts = request.headers.accept?.includes("application/graphql-response+json");
  return reply.code(status).type(`application/${accepts ? "graphql-response+json" : "json"}; charset=utf-8`).send(JSON.stringify({ errors: [error] }));
}
