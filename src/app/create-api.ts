import type { GraphQLSchema } from "graphql";
import type { TokenVerifier } from "../auth/token-verifier.js";
import { createReadOnlyQueries } from "../db/read-only-queries.js";
import { explainListening } from "../embedded/ports.js";
import { createSchema } from "../graphql/schema.js";
import type { PhotoInspector } from "../imaging/inspect/photo-inspector.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import { checkDatabase } from "../server/health/health.js";
import { createAdminGuard } from "../server/access/admin-guard.js";
import { loadCompiler } from "../server/graphql/operation-compiler.js";
import { createHttpServer, type HttpServerOptions } from "../server/http-server.js";
import type { HttpTimeouts } from "../server/http/app.js";
import { createRateLimits } from "../server/access/rate-limits.js";
import { createCarrier } from "../services/operators/carry-out.js";
import { createWebhookOrders } from "../services/operators/webhook-orders.js";
import { createOperations } from "../services/operators/operations.js";
import type { PhotoIntake } from "../services/photos/photo-intake.js";
import { noTracer, type Tracer } from "../runtime/tracer.js";
import { type ApiServices, createApiServices } from "./create-api-services.js";
import { createCore, type Core } from "./create-core.js";
import { createVerifier, developmentSignIn } from "./create-verifier.js";
import { loadCatalogue, type Catalogue } from "./load-catalogue.js";
import { openPhotos } from "./open-photos.js";
import { openRecentReads } from "./open-replica.js";
import { type CompleteConfig, version } from "./read-config.js";
import type { Database } from "../db/database.js";
import type { RecentReads } from "../db/replica.js";
import type { EventBus } from "../events/event-bus.js";
import type { Feed } from "../events/feed.js";
import type { ChildFault } from "../child-pool/child-pool.js";
import { createEdgeMetrics, gaugeEdge, type SocketGauges } from "../observability/edge-metrics.js";
import { createFaultMetrics, createOverloadMetrics } from "../observability/fault-metrics.js";
import { createImageMetrics } from "../observability/image-metrics.js";
import { createStepMetrics } from "../observability/job-metrics.js";
import { createMetricsPage } from "../observability/metrics-page.js";
import { countDropped, gaugeReplica, gaugeStores } from "../observability/store-metrics.js";
import type { HintQueue } from "../queue/hint-queue.js";
import { watchFields } from "../observability/watch-fields.js";
import { createWorkerRegister } from "../services/operators/worker-register.js";
import { createBacklogReads } from "../services/reads/backlog.js";

interface ApiOptions {
  log: Logger;
  redisPrefix?: string;
  tracer?: Tracer;
  timeouts?: HttpTimeouts;
  /** Called when everything is created, and awaited before the first request can arrive. */
  beforeListening?: () => Promise<void>;
}

/**
 * Starts the API; returns its address, and `warm`, which prepares what the first requests and uploads
 * would wait for. Everything that it opens is closed by the stack.
 */
export async function createApi(
  config: CompleteConfig,
  options: ApiOptions,
  stack: ClosingStack,
): Promise<{ url: string; warm(): Promise<void> }> {
  const { log, tracer = noTracer } = options;
  const catalogue = await loadCatalogue(config.tasks, log);
  const metrics = createApiMetrics({ revision: config.revision, tracer, catalogue });
  const verifier = await createVerifier(config, log);
  stack.add("token verifier", () => verifier.close());
  const { onStep, onDropped, onForeignRows } = metrics;
  const base = { name: "photo-service api", connections: 8, catalogue };
  const coreOptions = { ...base, ...options, tracer, onStep, onDropped, onForeignRows };
  const core = await createCore(config, coreOptions, stack);
  const { redis, database, slowDatabase, bus, hints, storage } = core;
  const recent = openRecentReads(config, { primary: slowDatabase, name: base.name, log }, stack);
  const closeConnections = (userId: string) => server.closeUser(userId);
  const { services, forgetUser } = await createApiServices(
    config,
    { core, recent, catalogue, log, onDelivered: metrics.edge.onDelivered, closeConnections },
    stack,
  );
  const { rateLimitPerMinute: requestsPerMinute } = config;
  const rateLimits = createRateLimits({ ...redis, requestsPerMinute, log });
  stack.add("rate limits", () => rateLimits.close());
  const parts = openPhotos(config, { core, users: services.users, metrics, log }, stack);
  metrics.gauge({
    database,
    slowDatabase,
    recent,
    bus,
    hints,
    feed: services.feed,
    inspector: parts.inspector,
    sockets: () => server.sockets,
  });
  const server = await createHttpServer({
    config,
    schema: metrics.watchSchema(await createSchema(services.typedJobs)),
    services: { ...services, keptOutputs: parts.keptOutputs },
    verifier,
    intake: metrics.measureIntake(parts.intake),
    storage,
    renditions: parts.renditions,
    signIn: developmentSignIn(config),
    rateLimits,
    ...createOperatorParts(config, { core, recent, catalogue, services, verifier, log }),
    readMetrics: metrics.read,
    watch: metrics.edge,
    log,
    ...(options.timeouts && { timeouts: options.timeouts }),
  });
  bus.onGone(forgetUser);
  stack.add("HTTP server", () => server.close());
  // Everything is created, and no request waits yet.
  await options.beforeListening?.();
  const place = { host: config.host, port: config.port, variable: "PORT" };
  const url = await server.listen(place).catch(explainListening(place));
  return { url, warm: () => warm(parts) };
}

async function warm(parts: ReturnType<typeof openPhotos>): Promise<void> {
  // Without the compiler, graphql-js executes everything.
  await Promise.all([parts.warm(), loadCompiler().catch(() => {})]);
}

/** Creates what operators use to check the service: health, the admin pages and their guard. */
function createOperatorParts(
  { databaseUrl, adminPassword, webhooks }: CompleteConfig,
  {
    core: { redis, database, slowDatabase, bus, queuedJobs },
    recent,
    catalogue,
    services: { jobs, pauses, fileUrls, eventLog },
    verifier,
    log,
  }: {
    core: Core;
    recent: RecentReads;
    catalogue: Catalogue;
    services: ApiServices;
    verifier: TokenVerifier;
    log: Logger;
  },
): Pick<HttpServerOptions, "health" | "admin" | "guard"> {
  const queries = createReadOnlyQueries(databaseUrl);
  return {
    health: {
      needed: { postgresql: checkDatabase(database), keys: () => verifier.readiness().reason },
      wanted: { redis: bus.probe },
    },
    admin: {
      database: slowDatabase,
      recent,
      queries,
      redis,
      operations: createOperations(slowDatabase),
      carrier: createCarrier({ database, queuedJobs, log }),
      fileUrls,
      jobs,
      pauses,
      workers: createWorkerRegister(slowDatabase),
      webhooks: createWebhookOrders(slowDatabase),
      webhookOrigin: webhooks && new URL(webhooks.url).origin,
      eventLog,
      isChildJob: (name) => catalogue.get(name)?.runsIn === "child",
    },
    guard: createAdminGuard(adminPassword),
  };
}

/** Creates the metrics of the API, and the wrappers that measure its parts. */
function createApiMetrics(options: {
  revision: string | null;
  tracer: Tracer;
  catalogue: Catalogue;
}) {
  const { revision, tracer, catalogue } = options;
  const page = createMetricsPage({ process: "api", version, revision });
  const onFault = createFaultMetrics(page);
  const edge = createEdgeMetrics(page, () => onFault("request"));
  return {
    edge,
    onStep: createStepMetrics(page, new Set(catalogue.keys())),
    onDropped: countDropped(page),
    onForeignRows: () => onFault("foreign_rows"),
    images: createImageMetrics(page),
    onChildFault: (reason: ChildFault) => onFault(`child_${reason}`),
    read: page.read,
    watchSchema: (schema: GraphQLSchema) => watchFields(schema, { onField: edge.onField, tracer }),
    measureIntake: (intake: PhotoIntake): PhotoIntake => ({
      async take(...upload) {
        const result = await intake.take(...upload);
        edge.onUpload({ created: result.created, byteSize: result.photo.byteSize });
        return result;
      },
    }),
    gauge(read: {
      database: Database;
      slowDatabase: Database;
      recent: RecentReads;
      bus: EventBus;
      hints: Pick<HintQueue, "memoryUsed">;
      feed: Feed;
      inspector: PhotoInspector;
      sockets(): SocketGauges;
    }): void {
      createOverloadMetrics(page, { main: read.database, slow: read.slowDatabase });
      gaugeReplica(page, read.recent.lagSeconds);
      gaugeStores(page, {
        readBacklog: createBacklogReads(read.database).read,
        probeRedis: read.bus.probe,
        readRedisMemory: read.hints.memoryUsed,
        jobs: catalogue.keys(),
      });
      gaugeEdge(page, {
        subscribers: () => read.feed.subscribers,
        sockets: read.sockets,
        previews: () => read.inspector.waiting,
      });
    },
  };
}
