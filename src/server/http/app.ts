import type { Server } from "node:http";
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { Logger } from "../../runtime/logger.js";
import type { Proxies } from "./client-address.js";
import { refuseAsJson } from "./errors.js";
import { createLazyChild, requestIdOf } from "./request-log.js";

export interface HttpTimeouts {
  /** Timeout for the headers of a request. */
  headersMs: number;
  /** Timeout for the body of a request. Uploads have `UploadTimeouts`. */
  bodyMs: number;
  /** Timeout for an operation, including its SQL statements. */
  operationMs: number;
  /** Interval at which connections are checked. */
  lookMs: number;
}

export const HTTP_TIMEOUTS: HttpTimeouts = {
  headersMs: 10_000,
  bodyMs: 10_000,
  operationMs: 10_000,
  lookMs: 2000,
};

/** Timeout for a whole request. It exceeds the timeout of uploads, which fails with a message. */
const REQUEST_MS = 660_000;
/** Maximum bytes of a request's headers: a token of 8 KiB, and as much again. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Our routes have no JSON Schemas, so the schema compilers are not loaded. They are a fifth of
 * Fastify.
 */
const NO_SCHEMAS = { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } };

/** Creates a Fastify that uses our logger and does not log each request. */
export function createBareApp(log: Logger, options: FastifyHttpOptions<Server>): FastifyInstance {
  return Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "requestId",
    }),
    schemaController: NO_SCHEMAS,
    ...options,
  });
}

function refuse(): never {
  throw new Error("A route has a JSON Schema, but no schema compiler is loaded (http/app.ts)");
}

/** Creates the application of the API without its routes. */
export function createApp({
  log,
  proxies,
  timeouts,
}: {
  log: Logger;
  proxies: Proxies;
  timeouts: HttpTimeouts;
}): FastifyInstance {
  const app = createBareApp(log, {
    childLoggerFactory: (_logger, bindings) => createLazyChild(log, bindings),
    genReqId: requestIdOf,
    forceCloseConnections: "idle",
    requestTimeout: REQUEST_MS,
    routerOptions: { maxParamLength: 1000 },
    frameworkErrors: refuseAddress,
    trustProxy: proxies.trusts,
    http: {
      headersTimeout: timeouts.headersMs,
      connectionsCheckingInterval: timeouts.lookMs,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
  });
  app.setErrorHandler((error, request, reply) => refuseAsJson(request, reply, error));
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ code: "NOT_FOUND", message: "Not found: no route has this method and path." }),
  );
  return app;
}

/** Answers a request whose URL cannot be decoded: it reaches no route and no hook. */
function refuseAddress(
  _error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return reply
    .headers({ "x-request-id": request.id, "x-content-type-options": "nosniff" })
    .code(400)
    .send({ code: "BAD_REQUEST", message: "The URL of the request cannot be decoded." });
}
