import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createFeed, type FeedOptions } from "../events/feed.js";
import type { Services } from "../graphql/context.js";
import { createFileUrls } from "../photos/file-urls.js";
import { createStartRate } from "../queue/start-rate.js";
import type { ClosingStack } from "../runtime/lifecycle.js";
import type { Logger } from "../runtime/logger.js";
import { createEventLog } from "../services/reads/event-log.js";
import type { ListScope } from "../services/reads/list-pages.js";
import { createQueuePlaces } from "../services/reads/queue-places.js";
import { createQueuedJobReads, type QueuedJobReads } from "../services/reads/queued-job-reads.js";
import { createAccounts } from "../services/users/accounts.js";
import { createUsers } from "../services/users/users.js";
import { catalogue } from "../tasks/catalogue.js";
import type { Core } from "./create-core.js";
import type { CompleteConfig } from "./read-config.js";
import { version } from "./version.js";

export interface ApiServicesDeps {
  core: Core;
  log: Logger;
  onTold: NonNullable<FeedOptions["onTold"]>;
  /** Closes the sockets and streams of a user whose account was deleted. */
  closeConnections(userId: string): void;
}

/** On all sockets and streams of a user together; one of them may have more. */
const SUBSCRIPTIONS_A_SOCKET = 10;

/** What the resolvers of the API work with; `forgetUser` is for accounts deleted elsewhere. */
export async function createApiServices(
  config: CompleteConfig,
  { core, log, onTold, closeConnections }: ApiServicesDeps,
  stack: ClosingStack,
): Promise<{ services: Services; forgetUser(userId: string | null): void }> {
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
    onTold,
    onGone: forgetUser,
    subscriptionsPerUser: SUBSCRIPTIONS_A_SOCKET * config.maxSocketsPerUser,
  });
  stack.add("feed", () => feed.close());
  const startRate = createStartRate({ ...redis, log });
  stack.add("start rate", () => startRate.close());
  const accounts = createAccounts({
    database: slowDatabase,
    users,
    deleteFiles: (keys) => storage.delete(keys),
    stopWork: (ids) => core.queuedJobs.stopWork(ids),
    tellGone(userId) {
      forgetUser(userId);
      return bus.publishGone(userId);
    },
    log,
  });
  const signingKey = config.fileSigningKey ?? (await keepFileSigningKey(config.dataFolder));
  const services: Services = {
    ...core,
    queuedJobReads: separateSlow(core.queuedJobReads, createQueuedJobReads(slowDatabase)),
    users,
    accounts,
    queuePlaces: createQueuePlaces({ database, catalogue, startRate }),
    eventLog,
    feed,
    fileUrls: createFileUrls({ signingKey, publicUrl: config.publicUrl, storage }),
    limits: {
      maxUnfinished: config.maxPendingPerUser,
      maxUploadBytes: config.maxUploadBytes,
      maxStoredBytes: config.maxStoredBytesPerUser,
      maxPhotoPixels: config.maxPhotoPixels,
    },
    info: { version, revision: config.revision, startedAt: new Date() },
  };
  return { services, forgetUser };
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

/**
 * The secret that signs file URLs outside production: made once for a data folder, for its owner's
 * eyes only.
 */
async function keepFileSigningKey(dataFolder: string): Promise<string> {
  const path = join(dataFolder, "file-signing-key");
  await mkdir(dataFolder, { recursive: true });
  // "wx": of two that start at once, one makes it and both read it.
  await writeFile(path, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    },
  );
  return readFile(path, "utf8");
}
