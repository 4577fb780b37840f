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

/** How long whoever asks may take, and be made to wait. */
export interface HttpTimeouts {
  /** Until the headers of a request must be here. */
  headersMs: number;
  /** Until the body of a GraphQL request must be here; of uploads `UploadTimeouts` tells. */
  bodyMs: number;
  /** Until an operation is answered; its statements end then, too. */
  operationMs: number;
  /** How often the connections are looked at. */
  lookMs: number;
}

export const HTTP_TIMEOUTS: HttpTimeouts = {
  headersMs: 10_000,
  bodyMs: 10_000,
  operationMs: 10_000,
  lookMs: 2000,
};

/**
 * Until a request must be here whole: longer than any upload may take, whose own time is told in
 * words.
 */
const REQUEST_MS = 660_000;
/** Bytes of the headers of a request: a token of 8 KiB, and as much again. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * In our routes nothing is described by a JSON Schema: what would compile such schemas is never
 * loaded, and is a fifth of Fastify.
 */
const NO_SCHEMAS = { compilersFactory: { buildValidator: refuse, buildSerializer: refuse } };

/** A Fastify that writes to our log, and no line for each request. */
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
  throw new Error("A route has a JSON Schema: nothing is there to compile it (http/app.ts)");
}

/** The application of the API, without its routes. */
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
    reply.code(404).send({ code: "NOT_FOUND", message: "There is nothing here." }),
  );
  return app;
}

/** An address that cannot be decoded reaches no route and no hook. */
function refuseAddress(
  _error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return reply
    .headers({ "x-request-id": request.id, "x-content-type-options": "nosniff" })
    .code(400)
    .send({ code: "BAD_REQUEST", message: "The request cannot be understood." });
}
