import type { FastifyBaseLogger } from "fastify";
import type { Logger } from "../../runtime/logger.js";

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
