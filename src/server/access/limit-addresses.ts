import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RateLimits } from "./rate-limits.js";

/** Whose probes must not be refused, whatever else comes from their address. */
const PROBED = /^\/(health\/|metrics$)/;
/** Where a token is looked at, and its holder counted. */
const SIGNED_IN = new Set(["/graphql", "/graphql/stream", "/photos"]);

/** Counts by address what comes without a token, or goes where none is looked at. */
export function limitAddresses(app: FastifyInstance, rateLimits: RateLimits): void {
  // Most are counted elsewhere, and need not wait for a promise.
  app.addHook("onRequest", (request, _reply, done) => {
    if (isCountedElsewhere(request)) done();
    else void count(rateLimits, request.ip, done);
  });
}

async function count(
  rateLimits: RateLimits,
  address: string,
  done: (error?: Error) => void,
): Promise<void> {
  try {
    await rateLimits.takeOfAddress(address);
  } catch (error) {
    return done(error as Error);
  }
  done();
}

function isCountedElsewhere({ routeOptions: { url = "" }, headers }: FastifyRequest): boolean {
  return PROBED.test(url) || (headers.authorization !== undefined && SIGNED_IN.has(url));
}
