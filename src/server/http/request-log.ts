import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyBaseLogger } from "fastify";
import type { Logger } from "../../runtime/logger.js";

const SOUND = /^[\w.:-]{1,128}$/;

/** What a proxy in front called this request, where that can stand in a log; else a new name. */
export function requestIdOf(request: Pick<IncomingMessage, "headers">): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && SOUND.test(given) ? given : newRequestId();
}

export function newRequestId(): string {
  const id = randomUUID();
  // Node makes it of twenty pieces, each an object as long as it is held: to be read puts them
  // together.
  SOUND.test(id);
  return id;
}

export type OnRequest = (request: {
  method: string;
  route: string | null;
  status: number;
  seconds: number;
}) => void;

/**
 * Tells each answer: its route as a pattern, null where none matched, so that no client can make up
 * new ones.
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

/**
 * A child of `parent` that is made when it has its first line to write: most requests write none.
 */
export function createLazyChild(
  parent: Logger,
  bindings: Record<string, unknown>,
): FastifyBaseLogger {
  let made: Logger | undefined;
  const child = () => (made ??= parent.child(bindings));
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
