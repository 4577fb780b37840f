import type { Server } from "node:http";
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyHttpOptions,
  type FastifyInstance,
} from "fastify";
import type { Logger } from "../../runtime/logger.js";

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
  throw new Error("A route has a JSON Schema: nothing is there to compile it (bare-app.ts)");
}
