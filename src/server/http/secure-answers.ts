import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import helmet, { type HelmetOptions } from "helmet";

export interface Origins {
  /** Whether a page of this origin may call us. No origin: the caller is no browser's page. */
  allows(request: Pick<IncomingMessage, "headers">): boolean;
}

const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * The same host always, the listed ones, and pages of this machine outside production. `null`, a
 * sandboxed page's, never.
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

/** For what names no policy of its own: nothing runs, nothing is loaded, nobody frames it. */
const STRICTEST_POLICY =
  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** Scripts and styles have no policy; a worker's would bind it instead of its page's. */
const IS_DOCUMENT =
  /^(text\/html|text\/plain|application\/(\w+[+-])*json|application\/graphql-response\+json)/;
const YEAR_SECONDS = 31_536_000;

/**
 * The headers of safety on every answer; a route may say otherwise. `https`: the outside reaches us
 * by it alone, and is told to stay there.
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

/** What helmet sets on an answer: the same on each, and so it is asked once. */
function headersOf(options: HelmetOptions): Record<string, string> {
  const answer = new ServerResponse(new IncomingMessage(new Socket()));
  helmet(options)(answer.req, answer, () => {});
  return Object.fromEntries(
    Object.entries(answer.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
}
