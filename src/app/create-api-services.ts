import { createFeed, type FeedOptions } from "../events/feed.js";
import type { Services } from "../graphql/context.js";
import type { Database } from "../db/database.js";
import type { RecentReads } from "../db/replica.js";
import { createTypedJobs } from "../graphql/typed-jobs/typed-jobs.js";
import { createFileUrls } from "../photos/file-urls.js";
import { createStartRate } from "../queue/start-rate.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import { createEventLog } from "../services/reads/event-log.js";
import type { PageQuery } from "../services/reads/list-pages.js";
import type { ListScope } from "../services/reads/list-scan.js";
import { EMPTY_PAGE, type QueuedJobPage } from "../services/reads/own-pages.js";
import { createPauses, type Pauses } from "../services/operators/pauses.js";
import { createPhotoLibrary } from "../services/reads/photo-library.js";
import { createQueuePlaces } from "../services/reads/queue-places.js";
import { createQueuedJobReads, type QueuedJobReads } from "../services/reads/queued-job-reads.js";
import { createAccounts } from "../services/users/accounts.js";
import { createUsers } from "../services/users/users.js";
import type { Core } from "./create-core.js";
import { readFileSigningKey } from "../photos/file-signing-key.js";
import type { Catalogue } from "./load-catalogue.js";
import { type CompleteConfig, version } from "./read-config.js";

export interface ApiServicesDeps {
  core: Core;
  recent: RecentReads;
  catalogue: Catalogue;
  log: Logger;
  onDelivered: NonNullable<FeedOptions["onDelivered"]>;
  /** Closes the sockets and streams of a user whose account was deleted. */
  closeConnections(userId: string): void;
}

/** The services of the resolvers and of the operators' pages. */
export interface ApiServices extends Omit<Services, "keptOutputs"> {
  pauses: Pauses;
}

/** Average number of subscriptions per socket: a user's sockets and streams share the product. */
const SUBSCRIPTIONS_PER_SOCKET = 10;

/**
 * Creates the services for the resolvers; `forgetUser` is for accounts that another process
 * deleted.
 */
export async function createApiServices(
  config: CompleteConfig,
  { core, recent, catalogue, log, onDelivered, closeConnections }: ApiServicesDeps,
  stack: ClosingStack,
): Promise<{ services: ApiServices; forgetUser(userId: string | null): void }> {
  const { redis, database, slowDatabase, bus, storage } = core;
  const users = createUsers({ database, adminEmails: config.adminEmails });
  const eventLog = createEventLog(database);
  const forgetUser = (userId: string | null) => {
    users.forget(userId);
    if (userId !== null) closeConnections(userId);
  };
  const feed = createFeed({
    bus,
    eventLog,
    log,
    onDelivered,
    onGone: forgetUser,
    subscriptionsPerUser: SUBSCRIPTIONS_PER_SOCKET * config.maxSocketsPerUser,
  });
  stack.add("feed", () => feed.close());
  const startRate = createStartRate({ ...redis, log });
  stack.add("start rate", () => startRate.close());
  const accounts = createAccounts({
    database: slowDatabase,
    users,
    deleteFiles: (keys) => storage.delete(keys),
    stopWork: (ids) => core.queuedJobs.stopWork(ids),
    publishGone(userId) {
      forgetUser(userId);
      return bus.publishGone(userId);
    },
    log,
  });
  const signingKey = await readFileSigningKey(config);
  const pauses = createPauses({ database, hints: core.hints });
  const services: ApiServices = {
    ...core,
    pauses,
    queuedJobReads: withReplica(
      separateSlow(core.queuedJobReads, createQueuedJobReads(slowDatabase)),
      { recent, primary: slowDatabase },
    ),
    users,
    accounts,
    photoLibrary: createPhotoLibrary(database, core.photos),
    queuePlaces: createQueuePlaces({ database, catalogue, startRate, pauses }),
    eventLog,
    feed,
    fileUrls: createFileUrls({ signingKey, publicUrl: config.publicUrl, storage }),
    typedJobs: createTypedJobs(catalogue.values()),
    limits: limitsOf(config),
    info: { version, revision: config.revision, startedAt: new Date() },
  };
  return { services, forgetUser };
}

/** The limits that clients can read. */
function limitsOf(config: CompleteConfig): ApiServices["limits"] {
  return {
    maxUnfinished: config.maxPendingPerUser,
    maxUploadBytes: config.maxUploadBytes,
    maxStoredBytes: config.maxStoredBytesPerUser,
    maxPhotoPixels: config.maxPhotoPixels,
  };
}

/**
 * Lists with a filter that no index supports may read all rows of a user, so they use the slow
 * connections.
 */
function separateSlow(reads: QueuedJobReads, slow: QueuedJobReads): QueuedJobReads {
  const isSlow = ({ filter }: ListScope) => filter.statuses !== null || filter.jobs !== null;
  const readsOf = (scopes: readonly ListScope[]) => (scopes.some(isSlow) ? slow : reads);
  return {
    ...reads,
    page: (scope, query) => readsOf([scope]).page(scope, query),
    pages: (scopes, query) => readsOf(scopes).pages(scopes, query),
    count: (scope, max) => readsOf([scope]).count(scope, max),
    counts: (scopes, max) => readsOf(scopes).counts(scopes, max),
  };
}

/**
 * Pages behind the first may come from a replica. It may lag, so each is checked: a client applies
 * only the events after its first page, so a later page must not be older than the first.
 */
function withReplica(
  reads: QueuedJobReads,
  { recent, primary }: { recent: RecentReads; primary: Database },
): QueuedJobReads {
  let onReplica: QueuedJobReads | null = null;
  const readsOn = (database: Database) =>
    database === primary ? reads : (onReplica ??= createQueuedJobReads(database));

  async function readPages(
    query: PageQuery,
    read: (from: QueuedJobReads) => Promise<QueuedJobPage[]>,
  ): Promise<QueuedJobPage[]> {
    const { knownSeq } = query;
    if (knownSeq === undefined) return read(reads);
    const pages = await recent.read((database) => read(readsOn(database)));
    return pages.every(({ lastSeq }) => lastSeq >= knownSeq) ? pages : read(reads);
  }

  return {
    ...reads,
    page: async (scope, query) => {
      const [page] = await readPages(query, async (from) => [await from.page(scope, query)]);
      return page ?? EMPTY_PAGE;
    },
    pages: (scopes, query) => readPages(query, (from) => from.pages(scopes, query)),
  };
}
