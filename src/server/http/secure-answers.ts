import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import helmet, { type HelmetOptions } from "helmet";
import type { Logger } from "../../runtime/logger.js";

export interface Origins {
  /**
   * True if a page of this origin may call this service. A request without origin is allowed. A
   * refused origin is logged once.
   */
  allows(request: Pick<IncomingMessage, "headers">): boolean;
}

/** Maximum number of refused origins in the log, and of characters of each. */
const MAX_LOGGED = 100;
const MAX_LOGGED_LENGTH = 200;
const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * Allows the same host, the listed origins and, outside production, pages of this machine. The
 * origin `null` of sandboxed pages is never allowed.
 */
export function createOrigins(options: {
  allowed: readonly string[];
  localhost: boolean;
  log: Pick<Logger, "warn">;
}): Origins {
  const allowed = new Set(
    options.allowed.map((origin) => origin.replace(/\/+$/, "").toLowerCase()),
  );
  const report = createRefusalReport(options.log);
  return {
    allows({ headers }) {
      const origin = headers.origin?.toLowerCase();
      if (origin === undefined) return true;
      const isAllowed =
        allowed.has(origin) ||
        (options.localhost && LOCAL.test(origin)) ||
        (URL.canParse(origin) && new URL(origin).host === headers.host?.toLowerCase());
      if (!isAllowed) report(origin);
      return isAllowed;
    },
  };
}

/** Browsers hide from a page why it was refused. Any client can invent origins, so few are kept. */
function createRefusalReport(log: Pick<Logger, "warn">): (origin: string) => void {
  const logged = new Set<string>();
  return (sent) => {
    const origin = sent.slice(0, MAX_LOGGED_LENGTH);
    if (logged.size >= MAX_LOGGED || logged.has(origin)) return;
    logged.add(origin);
    log.warn(
      { origin },
      "refused a page of another origin: add the origin to ALLOWED_ORIGINS if its pages may call " +
        "this service",
    );
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
