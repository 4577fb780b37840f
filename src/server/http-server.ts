import fastifyCors from "@fastify/cors";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { printSchema } from "graphql";
import type { GraphQLSchema } from "graphql";
import type { TokenVerifier } from "../auth/token-verifier.js";
import type { Config } from "../config.js";
import type { Services } from "../graphql/context.js";
import type { Logger } from "../logger.js";
import type { Storage } from "../photos/storage.js";
import type { PhotoIntake } from "../services/photo-intake.js";
import type { AdminGuard } from "./admin-guard.js";
import { registerAdmin } from "./admin/register-admin.js";
import type { AdminOptions } from "./admin/register-admin.js";
import { createAuthenticator } from "./authenticator.js";
import { registerExplorer } from "./explorer/register-explorer.js";
import { createSandboxPage } from "./explorer/sandbox-page.js";
import { SANDBOX_SCRIPT } from "./explorer/sandbox-script.js";
import { registerGraphqlEndpoint } from "./graphql-endpoint.js";
import { createGraphqlSockets } from "./graphql-sockets.js";
import type { GraphqlSockets } from "./graphql-sockets.js";
import { registerGraphqlStream } from "./graphql-stream.js";
import { registerFrontPage } from "./front-page.js";
import { registerHealth } from "./health.js";
import type { HealthOptions } from "./health.js";
import { registerMetrics } from "./metrics-route.js";
import type { MetricsRouteOptions } from "./metrics-route.js";
import { createOperations } from "./operations.js";
import { createOrigins } from "./origins.js";
import { registerPhotoUploads } from "./photo-uploads.js";
import { requestIdOf } from "./request-id.js";
import { watchRequests } from "./watch-requests.js";
import type { OnRequest } from "./watch-requests.js";
import { registerSignedFiles } from "./signed-files.js";
import { createUserConnections } from "./user-connections.js";

export interface HttpServerOptions {
  config: Config;
  schema: GraphQLSchema;
  services: Services;
  verifier: TokenVerifier;
  intake: PhotoIntake;
  storage: Storage;
  /** Makes a development token; null where none is honoured. */
  signIn: (() => Promise<string>) | null;
  health: HealthOptions;
  /** What the operators' pages are made of; they are there where a password is configured. */
  admin: Omit<AdminOptions, "actions" | "log">;
  guard: AdminGuard;
  readMetrics: MetricsRouteOptions["read"];
  /** Called with what happens at the doors. */
  watch: { onRequest: OnRequest; onError(code: string): void; onSocketClosed(code: number): void };
  log: Logger;
}

export interface HttpServer {
  readonly sockets: GraphqlSockets;
  /** Resolves with the address; port 0 takes a free one. */
  listen(address: { host: string; port: number }): Promise<string>;
  /** Closes the sockets, finishes the requests that are under way, and takes no more. */
  close(): Promise<void>;
}

const IDLE_MS = 100;
/** Until a request must be here whole: longer than any upload may take, whose own time is told in words. */
const REQUEST_MS = 660_000;
/** Connections that may wait to be accepted: 511, Node's own, are fewer than come back in one moment after a restart. */
const BACKLOG = 4096;

/** The network edge, built apart from the process. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { config, schema, services, log, watch } = options;
  const app = createApp(log);
  watchRequests(app, watch.onRequest);
  const authenticator = createAuthenticator({ verifier: options.verifier, users: services.users });
  const origins = createOrigins({ allowed: config.allowedOrigins, localhost: !config.production });
  const shared = { schema, services, authenticator, introspection: config.introspection, production: config.production, onError: watch.onError };

  await app.register(fastifyCors, { delegator: (request, done) => done(null, corsOf(origins.allows(request.raw))) });
  const showsSandbox = config.explorer && !config.production;
  await registerGraphqlEndpoint(app, { ...shared, browserPage: showsSandbox ? createSandboxPage(options.signIn) : null });
  if (showsSandbox) app.get("/graphql/sandbox.js", (_request, reply) => reply.type("text/javascript; charset=utf-8").send(SANDBOX_SCRIPT));
  if (config.explorer) await registerExplorer(app, options.signIn);
  await registerPhotoUploads(app, { authenticator, intake: options.intake, fileUrls: services.fileUrls, maxUploadBytes: config.maxUploadBytes });
  registerSignedFiles(app, { ...services, storage: options.storage });
  let closing = false;
  const { needed, wanted } = options.health;
  registerHealth(app, { needed: { ...needed, process: () => (closing ? "it is closing" : null) }, wanted });
  await registerMetrics(app, { read: options.readMetrics, protect: options.guard.protect });
  if (config.adminPassword !== null) await registerAdmin(app, options.guard, { ...options.admin, actions: config.adminActions, log });
  await registerFrontPage(app, { pictureOrigins: await pictureOriginsOf(options) });
  if (!config.production) app.get("/graphql/schema.graphql", (_request, reply) => reply.type("text/plain; charset=utf-8").send(printSchema(schema)));
  const doors = { operations: createOperations(shared), authenticator, connections: createUserConnections(config.maxSocketsPerUser) };
  const streams = await registerGraphqlStream(app, doors);
  const sockets = createGraphqlSockets({
    ...doors,
    server: app.server,
    origins,
    limits: { subscriptionsPerSocket: config.maxSubscriptionsPerSocket, openingSockets: config.maxOpeningSockets },
    log,
    onClosed: watch.onSocketClosed,
  });

  return {
    sockets,
    listen: (address) => app.listen({ ...address, backlog: BACKLOG }),
    async close() {
      closing = true;
      await Promise.all([sockets.close(), streams.close()]);
      // A request that was under way leaves its connection open for the next one, and the server would wait for that.
      const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_MS);
      await app.close().finally(() => clearInterval(idle));
    },
  };
}

/** Of the bytes behind signed URLs, where they are not of this host. */
async function pictureOriginsOf({ config, storage }: HttpServerOptions): Promise<string[]> {
  const stored = await storage.presign("picture", { mimeType: "image/webp", filename: "picture.webp" });
  return [stored, config.publicUrl].flatMap((url) => (url === null ? [] : [new URL(url).origin]));
}

function createApp(log: Logger): FastifyInstance {
  const app = Fastify({ loggerInstance: log as FastifyBaseLogger, genReqId: requestIdOf, logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "requestId" }), forceCloseConnections: "idle", requestTimeout: REQUEST_MS, routerOptions: { maxParamLength: 1000 }, frameworkErrors: refuseAddress });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({ "x-request-id": request.id, "x-content-type-options": "nosniff" });
  });
  app.setErrorHandler((error, request, reply) => {
    const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
    if (status >= 500) request.log.error({ err: error }, "a request failed");
    return reply.code(status).send(status >= 500 ? { code: "INTERNAL_SERVER_ERROR", message: "Internal server error" } : { code: "BAD_REQUEST", message: "The request cannot be understood." });
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: "NOT_FOUND", message: "There is nothing here." }));
  return app;
}

/** An address that cannot be decoded reaches no route and no hook. */
function refuseAddress(_error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.headers({ "x-request-id": request.id, "x-content-type-options": "nosniff" }).code(400).send({ code: "BAD_REQUEST", message: "The request cannot be understood." });
}

function corsOf(allowed: boolean) {
  return { origin: allowed, allowedHeaders: ["authorization", "content-type", "x-filename", "x-request-id", "apollo-require-preflight"], exposedHeaders: ["x-request-id", "retry-after", "etag"], maxAge: 600 };
}
