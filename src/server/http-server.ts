import fastifyCors from "@fastify/cors";
import type { FastifyInstance } from "fastify";
import { printSchema, type GraphQLSchema } from "graphql";
import type { TokenVerifier } from "../auth/token-verifier.js";
import type { Config } from "../runtime/config.js";
import type { Services } from "../graphql/context.js";
import type { Logger } from "../runtime/logger.js";
import type { Storage } from "../photos/storage.js";
import type { PhotoIntake } from "../services/photos/photo-intake.js";
import type { Renditions } from "../services/photos/renditions.js";
import type { AdminGuard } from "./access/admin-guard.js";
import { registerAdmin, type AdminOptions } from "./admin/register-admin.js";
import { createAuthenticator, type Authenticator } from "./access/authenticator.js";
import { createApp, HTTP_TIMEOUTS, type HttpTimeouts } from "./http/app.js";
import { createErrorReporter } from "./graphql/errors.js";
import { registerExplorer } from "./explorer/register-explorer.js";
import { createSandboxPage, SANDBOX_SCRIPT } from "./explorer/sandbox.js";
import { registerGraphqlEndpoint } from "./graphql/http/graphql-endpoint.js";
import { createGraphqlSockets, type GraphqlSockets } from "./graphql/websocket/graphql-sockets.js";
import { registerGraphqlStream, type GraphqlStreams } from "./graphql/sse/graphql-stream.js";
import { registerFrontPage } from "./http/front-page.js";
import {
  registerHealth,
  type HealthOptions,
  registerMetrics,
  type MetricsRouteOptions,
} from "./health/health.js";
import { watchRequests, type OnRequest } from "./http/request-log.js";
import { limitAddresses, type RateLimits } from "./access/rate-limits.js";
import { limitBodies } from "./http/slow-bodies.js";
import { createOperationCompiler } from "./graphql/operation-compiler.js";
import { createOperations } from "./graphql/operations.js";
import { createOrigins, type Origins, secureAnswers } from "./http/secure-answers.js";
import { registerPhotoUploads } from "./files/photo-uploads.js";
import { createProxies, type Proxies } from "./http/client-address.js";
import { registerImages } from "./files/images.js";
import { registerSignedFiles } from "./files/signed-files.js";
import { createUserConnections, type UserConnections } from "./access/user-connections.js";

export interface HttpServerOptions {
  config: Config;
  schema: GraphQLSchema;
  services: Services;
  verifier: TokenVerifier;
  intake: PhotoIntake;
  storage: Storage;
  renditions: Pick<Renditions, "read">;
  /** Creates a development token; null when those are disabled. */
  signIn: (() => Promise<string>) | null;
  rateLimits: RateLimits;
  health: HealthOptions;
  /** Dependencies of the admin pages, which exist when a password is configured. */
  admin: Omit<AdminOptions, "actions" | "log">;
  guard: AdminGuard;
  readMetrics: MetricsRouteOptions["read"];
  /** Called for requests, errors and sockets. */
  watch: {
    onRequest: OnRequest;
    onError(code: string): void;
    onSocketClosed(code: number): void;
    onSocketRefused(): void;
  };
  timeouts?: HttpTimeouts;
  log: Logger;
}

export interface HttpServer {
  readonly sockets: Pick<GraphqlSockets, "count" | "opening" | "longestWaitSeconds">;
  /** Closes the sockets (with 4403) and streams of a user whose account was deleted. */
  closeUser(userId: string): void;
  /** Resolves with the address. Port 0 selects a free port. */
  listen(address: { host: string; port: number }): Promise<string>;
  /** Closes the sockets, finishes the current requests, and refuses new ones. */
  close(): Promise<void>;
}

const IDLE_MS = 100;
/**
 * Maximum connections that wait to be accepted. Node's default of 511 is too low for the clients
 * that reconnect after a restart.
 */
const BACKLOG = 4096;

/** Builds the HTTP server without starting a process, so that tests can use it. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { config, services, rateLimits, log, watch, timeouts = HTTP_TIMEOUTS } = options;
  const proxies = createProxies(config.trustProxy);
  const app = createApp({ log, proxies, timeouts });
  watchRequests(app, watch.onRequest);
  const authenticator = createAuthenticator({
    verifier: options.verifier,
    users: services.users,
    rateLimits,
  });
  const origins = createOrigins({
    allowed: config.allowedOrigins,
    localhost: !config.production,
    log,
  });
  await guardRoutes(app, { config, origins, rateLimits, timeouts });
  await registerPhotoUploads(app, {
    authenticator,
    intake: options.intake,
    fileUrls: services.fileUrls,
    maxUploadBytes: config.maxUploadBytes,
  });
  registerSignedFiles(app, { ...services, storage: options.storage });
  registerImages(app, { fileUrls: services.fileUrls, renditions: options.renditions });
  let closing = false;
  const { needed, wanted } = options.health;
  registerHealth(app, {
    needed: { ...needed, process: () => (closing ? "shutting down" : null) },
    wanted,
  });
  await registerMetrics(app, { read: options.readMetrics, protect: options.guard.protect });
  await registerPages(app, options);
  const edge = { authenticator, origins, proxies, operationMs: timeouts.operationMs };
  const { connections, streams, sockets } = await registerGraphql(app, options, edge);

  return {
    sockets,
    closeUser: connections.closeUser,
    listen: (address) => app.listen({ ...address, backlog: BACKLOG }),
    async close() {
      closing = true;
      await Promise.all([sockets.close(), streams.close()]);
      // A finished request leaves its connection open for the next one, and `app.close` would wait
      // for it.
      const idle = setInterval(() => app.server.closeIdleConnections(), IDLE_MS);
      await app.close().finally(() => clearInterval(idle));
    },
  };
}

/** Registers GraphQL over HTTP, Server-Sent Events and WebSockets. */
async function registerGraphql(
  app: FastifyInstance,
  { config, schema, services, signIn, rateLimits, watch, log }: HttpServerOptions,
  edge: {
    authenticator: Authenticator;
    origins: Origins;
    proxies: Proxies;
    operationMs: number;
  },
): Promise<{ connections: UserConnections; streams: GraphqlStreams; sockets: GraphqlSockets }> {
  const { introspection, production } = config;
  const compiled = createOperationCompiler(schema);
  const reporter = createErrorReporter({ production, onError: watch.onError });
  const checked = { schema, services, introspection, production };
  await registerGraphqlEndpoint(app, {
    ...edge,
    ...checked,
    compiled,
    reporter,
    browserPage: showsSandbox(config) ? createSandboxPage(signIn) : null,
  });
  if (!production)
    app.get("/graphql/schema.graphql", (_request, reply) =>
      reply.type("text/plain; charset=utf-8").send(printSchema(schema)),
    );
  const connections = createUserConnections(config.maxSocketsPerUser);
  const shared = { ...edge, operations: createOperations(checked), reporter, connections };
  const streams = await registerGraphqlStream(app, shared);
  const sockets = createGraphqlSockets({
    ...shared,
    server: app.server,
    compiled,
    rateLimits,
    subscriptionsPerSocket: config.maxSubscriptionsPerSocket,
    openingSockets: config.maxOpeningSockets,
    log,
    onClosed: watch.onSocketClosed,
    onRefused: watch.onSocketRefused,
  });
  return { connections, streams, sockets };
}

/** Registers the pages for browsers. */
async function registerPages(app: FastifyInstance, options: HttpServerOptions): Promise<void> {
  const { config, signIn, guard, admin, log } = options;
  if (showsSandbox(config))
    app.get("/graphql/sandbox.js", (_request, reply) =>
      reply.type("text/javascript; charset=utf-8").send(SANDBOX_SCRIPT),
    );
  if (config.explorer) await registerExplorer(app, signIn);
  if (config.adminPassword !== null)
    await registerAdmin(app, guard, { ...admin, actions: config.adminActions, log });
  await registerFrontPage(app, {
    path: config.frontPage,
    pictureOrigins: await pictureOriginsOf(options),
  });
}

function showsSandbox({ explorer, production }: Config): boolean {
  return explorer && !production;
}

/** Adds the checks and headers of all routes. */
async function guardRoutes(
  app: FastifyInstance,
  {
    config,
    origins,
    rateLimits,
    timeouts,
  }: { config: Config; origins: Origins; rateLimits: RateLimits; timeouts: HttpTimeouts },
): Promise<void> {
  await app.register(fastifyCors, {
    delegator: (request, done) => done(null, corsOf(origins.allows(request.raw))),
  });
  secureAnswers(app, { https: config.publicUrl?.startsWith("https:") ?? false });
  limitAddresses(app, rateLimits);
  limitBodies(app, timeouts.bodyMs);
}

/** Returns the origins of signed URLs that differ from this host. */
async function pictureOriginsOf({ config, storage }: HttpServerOptions): Promise<string[]> {
  const stored = await storage.presign("picture", {
    mimeType: "image/webp",
    filename: "picture.webp",
  });
  return [stored, config.publicUrl].flatMap((url) => (url === null ? [] : [new URL(url).origin]));
}

function corsOf(allowed: boolean) {
  return {
    origin: allowed,
    allowedHeaders: [
      "authorization",
      "content-type",
      "x-filename",
      "x-request-id",
      "apollo-require-preflight",
    ],
    exposedHeaders: ["x-request-id", "retry-after", "etag"],
    maxAge: 600,
  };
}
