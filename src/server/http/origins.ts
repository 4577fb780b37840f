import type { IncomingMessage } from "node:http";

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
