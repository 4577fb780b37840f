import type { FastifyInstance } from "fastify";
import type { ErrorTeller } from "../../http/error-teller.js";
import { refuseAsGraphql } from "../../http/refuse-as-graphql.js";

/**
 * For a scope of routes that speak GraphQL: what is no JSON reaches them as no body, and every
 * fault leaves as GraphQL, in the negotiated media type.
 */
export function takeGraphqlBodies(scope: FastifyInstance, teller: ErrorTeller): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "string" }, (request, body, done) => {
    done(
      null,
      /^application\/([\w.+-]*\+)?json\b/i.test(request.headers["content-type"] ?? "")
        ? tryParseJson(String(body))
        : undefined,
    );
  });
  scope.setErrorHandler((error, request, reply) => refuseAsGraphql(teller, request, reply, error));
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
