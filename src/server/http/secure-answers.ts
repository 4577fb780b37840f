import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import helmet, { type HelmetOptions } from "helmet";

export interface Origins {
  /** True if a page of this origin may call this service. A request without origin is allowed. */
  allows(request: Pick<IncomingMessage, "headers">): boolean;
}

const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * Allows the same host, the listed origins and, outside production, pages of this machine. The
 * origin `null` of sandboxed pages is never allowed.
 */
export function createOrigins(options: {
  allowed: readonly string[];
  localhost: boolean;
}): Origins {
  const allowed = new Set(
    options.allowed.map((origin) => origin.replace(/\/+$/, "").toLowerCase()),
  );
  return {
    allows({ headers }) {
      const origin = headers.origin?.toLowerCase();
      if (origin === undefined) return true;
      return (
        allowed.has(origin) ||
        (options.localhost && LOCAL.test(origin)) ||
        (URL.canParse(origin) && new URL(origin).host === headers.host?.toLowerCase())
      );
    },
  };
}

/** The default policy: no scripts, no resources, no frames. */
const STRICTEST_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Scripts and styles get no policy: a worker would use its own policy instead of its page's. */
const IS_DOCUMENT =
  /^(text\/html|text\/plain|application\/(\w+[+-])*json|application\/graphql-response\+json)/;
const YEAR_SECONDS = 31_536_000;

/**
 * Adds security headers to every answer; a route can override them. `https` must be true if the
 * service is public only over HTTPS; browsers then use only HTTPS.
 */
export function secureAnswers(app: FastifyInstance, { https }: { https: boolean }): void {
  const headers = headersOf({
    contentSecurityPolicy: false,
    strictTransportSecurity: https && { maxAge: YEAR_SECONDS, includeSubDomains: false },
  });
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(headers).header("x-request-id", request.id);
    done();
  });
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (
      !reply.hasHeader("content-security-policy") &&
      IS_DOCUMENT.test(String(reply.getHeader("content-type") ?? ""))
    )
      reply.header("content-security-policy", STRICTEST_POLICY);
    done(null, payload);
  });
}

/** Returns helmet's headers. They are the same for each answer, so they are computed once. */
function headersOf(options: HelmetOptions): Record<string, string> {
  const answer = new ServerResponse(new IncomingMessage(new Socket()));
  helmet(options)(answer.req, answer, () => {});
  return Object.fromEntries(
    Object.entries(answer.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
}
