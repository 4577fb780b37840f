import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyBaseLogger } from "fastify";
import type { Logger } from "../../runtime/logger.js";

const LOGGABLE = /^[\w.:-]{1,128}$/;

/** Returns the request id from a proxy if it is safe to log, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, "headers">): string {
  const header = request.headers["x-request-id"];
  return typeof header === "string" && LOGGABLE.test(header) ? header : newRequestId();
}

export function newRequestId(): string {
  const id = randomUUID();
  // Node builds the id from twenty string parts. Reading it once joins them and frees the parts.
  LOGGABLE.test(id);
  return id;
}

export type OnRequest = (request: {
  method: string;
  route: string | null;
  status: number;
  seconds: number;
}) => void;

/**
 * Reports each answered request. The route is a pattern, or null if none matched, so that clients
 * cannot create new values.
 */
export function watchRequests(app: FastifyInstance, onRequest: OnRequest): void {
  app.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? null;
    const seconds = reply.elapsedTime / 1000;
    onRequest({ method: request.method, route, status: reply.statusCode, seconds });
    if (!route?.startsWith("/health"))
      request.log.debug(
        { method: request.method, route, status: reply.statusCode, seconds },
        "answered",
      );
    done();
  });
}

/** Returns a child logger that is created with its first line, since most requests log nothing. */
export function createLazyChild(
  parent: Logger,
  bindings: Record<string, unknown>,
): FastifyBaseLogger {
  let logger: Logger | undefined;
  const child = () => (logger ??= parent.child(bindings));
  const line =
    (level: "fatal" | "error" | "warn" | "info" | "debug" | "trace") =>
    (what: unknown, ...more: unknown[]) => {
      if (parent.isLevelEnabled(level)) child()[level](what, ...(more as []));
    };
  return {
    level: parent.level,
    fatal: line("fatal"),
    error: line("error"),
    warn: line("warn"),
    info: line("info"),
    debug: line("debug"),
    trace: line("trace"),
    silent: () => {},
    child: (more, options) => child().child(more, options) as FastifyBaseLogger,
  };
}
