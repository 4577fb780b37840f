import { createReadOnlyQueries } from "../db/read-only-queries.js";
import { explainListening } from "../embedded/ports.js";
import { createFeed } from "../events/feed.js";
import type { Services } from "../graphql/context.js";
import { createSchema } from "../graphql/schema.js";
import { createPhotoInspector } from "../imaging/inspect/photo-inspector.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import { createFileUrls } from "../photos/file-urls.js";
import { createStartRate } from "../queue/start-rate.js";
import { checkDatabase } from "../server/health/health.js";
import { createAdminGuard } from "../server/access/admin-guard.js";
import { createHttpServer } from "../server/http-server.js";
import type { HttpTimeouts } from "../server/http/http-timeouts.js";
import { createRateLimits } from "../server/access/rate-limits.js";
import { createAccounts } from "../services/users/accounts.js";
import { createEventLog } from "../services/reads/event-log.js";
import { createPhotoIntake } from "../services/photos/photo-intake.js";
import { createQueuedJobReads, type QueuedJobReads } from "../services/reads/queued-job-reads.js";
import type { ListScope } from "../services/reads/list-pages.js";
import { createQueuePlaces } from "../services/reads/queue-places.js";
import { createUsers } from "../services/users/users.js";
import { catalogue } from "../tasks/catalogue.js";
import { noTracer, type Tracer } from "../runtime/tracer.js";
import { createApiMetrics } from "./create-api-metrics.js";
import { CHILD_MEMORY_BYTES, createCore } from "./create-core.js";
import { createVerifier } from "./create-verifier.js";
import { developmentSignIn } from "./local-service/development-sign-in.js";
import { keepFileSigningKey } from "./settings/file-signing-key.js";
import type { CompleteConfig } from "./settings/read-config.js";
import { version } from "./version.js";

/** On all sockets and streams of a user together; one of them may have more. */
const SUBSCRIPTIONS_A_SOCKET = 10;

/**
 * The API, listening; returns its address, and what starts the children before the first upload.
 * What it opens is put on the stack.
 */
export async function createApi(
  config: CompleteConfig,
  options: {
    log: Logger;
    redisPrefix?: string;
    tracer?: Tracer;
    timeouts?: HttpTimeouts;
    beforeListening?: () => Promise<void>;
  },
  stack: ClosingStack,
): Promise<{ url: string; warm(): Promise<void> }> {
  const { log, tracer = noTracer } = options;
  const metrics = createApiMetrics({ revision: config.revision, tracer });
  const verifier = await createVerifier(config, log);
  stack.add("token verifier", () => verifier.close());
  const { onStep, onDropped, onForeignRows } = metrics;
  const base = { name: "photo-service api", connections: 8 };
  const coreOptions = { ...base, ...options, tracer, onStep, onDropped, onForeignRows };
  const core = await createCore(config, coreOptions, stack);
  const { redis, database, slowDatabase, bus, photos, storage } = core;
  const users = createUsers({ database, adminEmails: config.adminEmails });
  const eventLog = createEventLog(database);
  const seeGone = (userId: string | null) => {
    users.forget(userId);
    if (userId !== null) server.closeUser(userId);
  };
  const tellGone = (userId: string) => {
    seeGone(userId);
    return bus.ringGone(userId);
  };
  const feed = createFeed({
    bus,
    eventLog,
    log,
    onTold: metrics.edge.onTold,
    onGone: seeGone,
    subscriptionsPerUser: SUBSCRIPTIONS_A_SOCKET * config.maxSocketsPerUser,
  });
  stack.add("feed", () => feed.close());
  const startRate = createStartRate({ ...redis, log });
  stack.add("start rate", () => startRate.close());
  const rateLimits = createRateLimits({
    ...redis,
    requestsPerMinute: config.rateLimitPerMinute,
    log,
  });
  stack.add("rate limits", () => rateLimits.close());
  const inspector = createPhotoInspector({
    log,
    maxPixels: config.maxPhotoPixels,
    acceptHeic: config.acceptHeic,
    memoryLimitBytes: CHILD_MEMORY_BYTES,
    onFault: metrics.onChildFault,
  });
  stack.add("photo inspector", () => inspector.close());
  const { maxUploadBytes, maxStoredBytesPerUser: maxStoredBytes } = config;

  const services: Services = {
    ...core,
    queuedJobReads: separateSlow(core.queuedJobReads, createQueuedJobReads(slowDatabase)),
    users,
    accounts: createAccounts({
      database: slowDatabase,
      users,
      deleteFiles: (keys) => storage.delete(keys),
      stopWork: (ids) => core.queuedJobs.stopWork(ids),
      tellGone,
      log,
    }),
    queuePlaces: createQueuePlaces({ database, catalogue, startRate }),
    eventLog,
    feed,
    fileUrls: createFileUrls({
      signingKey: config.fileSigningKey ?? (await keepFileSigningKey(config.dataFolder)),
      publicUrl: config.publicUrl,
      storage,
    }),
    limits: {
      maxUnfinished: config.maxPendingPerUser,
      maxUploadBytes,
      maxStoredBytes,
      maxPhotoPixels: config.maxPhotoPixels,
    },
    info: { version, revision: config.revision, startedAt: new Date() },
  };
  const intake = metrics.measureIntake(
    createPhotoIntake({ photos, users, storage, inspector, maxUploadBytes, maxStoredBytes }),
  );
  const health = {
    needed: { postgresql: checkDatabase(database), keys: () => verifier.readiness().reason },
    wanted: { redis: bus.probe },
  };
  const admin = {
    database: slowDatabase,
    queries: createReadOnlyQueries({ database: slowDatabase, databaseUrl: config.databaseUrl }),
    redis,
  };
  metrics.gauge({ database, slowDatabase, bus, feed, inspector, sockets: () => server.sockets });
  const schema = metrics.watchSchema(await createSchema());
  const server = await createHttpServer({
    config,
    schema,
    services,
    verifier,
    intake,
    storage,
    signIn: developmentSignIn(config),
    rateLimits,
    health,
    admin,
    guard: createAdminGuard(config.adminPassword),
    readMetrics: metrics.read,
    watch: metrics.edge,
    log,
    ...(options.timeouts && { timeouts: options.timeouts }),
  });
  bus.onGone(seeGone);
  stack.add("HTTP server", () => server.close());
  // All is made, and nobody is kept waiting yet.
  await options.beforeListening?.();
  const place = { host: config.host, port: config.port, variable: "PORT" };
  const url = await server.listen(place).catch(explainListening(place));
  return { url, warm: inspector.warm };
}

/** Lists by a filter that no index serves may walk through all that a user has. */
function separateSlow(reads: QueuedJobReads, slow: QueuedJobReads): QueuedJobReads {
  const isSlow = ({ filter }: ListScope) => filter.statuses !== null || filter.jobs !== null;
  const readsOf = (scopes: readonly ListScope[]) => (scopes.some(isSlow) ? slow : reads);
  return {
    ...reads,
    page: (scope, query) => readsOf([scope]).page(scope, query),
    pages: (scopes, query) => readsOf(scopes).pages(scopes, query),
    count: (scope, most) => readsOf([scope]).count(scope, most),
    counts: (scopes, most) => readsOf(scopes).counts(scopes, most),
  };
}
