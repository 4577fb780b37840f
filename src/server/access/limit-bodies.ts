import type { IncomingMessage } from "node:http";
import type { FastifyInstance } from "fastify";
import { TooSlowError } from "../../domain/errors.js";
import { abandon } from "../files/upload-patience.js";

/** How often the bodies that are not here yet are looked at, at the most. */
const LOOK_MS = 1000;

/**
 * Ends a request whose body is not here within `bodyMs`: it fails with TooSlowError. Uploads have a
 * patience of their own. One timer for all of them: nearly every body is here when it is first
 * looked at.
 */
export function limitBodies(app: FastifyInstance, bodyMs: number): void {
  const begun = new Map<IncomingMessage, number>();
  const timer = setInterval(() => endLate(begun, bodyMs), Math.min(LOOK_MS, bodyMs / 4)).unref();
  app.addHook("onClose", async () => clearInterval(timer));
  app.addHook("preParsing", ({ raw, routeOptions }, _reply, payload, done) => {
    const hasBody =
      raw.headers["content-length"] !== undefined || raw.headers["transfer-encoding"] !== undefined;
    if (hasBody && routeOptions.url !== "/photos") begun.set(raw, Date.now());
    done(null, payload);
  });
}

function endLate(begun: Map<IncomingMessage, number>, bodyMs: number): void {
  const now = Date.now();
  for (const [raw, since] of begun) {
    const over = raw.complete || raw.destroyed;
    if (!over && now - since < bodyMs) continue;
    begun.delete(raw);
    if (!over) abandon(raw, new TooSlowError(`The body took more than ${bodyMs / 1000} seconds.`));
  }
}
