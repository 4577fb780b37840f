import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RateLimits } from "./rate-limits.js";

/** Whose probes must not be refused, whatever else comes from their address. */
const PROBED = /^\/(health\/|metrics$)/;
/** Where a token is looked at, and its holder counted. */
const SIGNED_IN = new Set(["/graphql", "/graphql/stream", "/photos"]);

/** Counts by address what comes without a token, or goes where none is looked at. */
export function limitAddresses(app: FastifyInstance, rateLimits: RateLimits): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (isCountedElsewhere(request)) return done();
    rateLimits.takeOfAddress(request.ip).then(() => done(), done);
  });
}

function isCountedElsewhere({ routeOptions: { url = "" }, headers }: FastifyRequest): boolean {
  return PROBED.test(url) || (headers.authorization !== undefined && SIGNED_IN.has(url));
}
