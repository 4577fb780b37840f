import type { EventLog } from "../events/event-log.js";
import type { Feed } from "../events/feed.js";
import type { Logger } from "../logger.js";
import type { FileUrls } from "../photos/file-urls.js";
import type { Accounts } from "../services/accounts.js";
import type { Jobs } from "../services/jobs.js";
import type { Photos } from "../services/photos.js";
import type { QueuePlaces } from "../services/queue-places.js";
import type { QueuedJobReads } from "../services/queued-job-reads.js";
import type { QueuedJobs } from "../services/queued-jobs.js";
import type { User, Users } from "../services/users.js";
import type { HasLoaders } from "./loaders.js";

/** What resolvers work with; made once for a process. */
export interface Services {
  users: Users;
  accounts: Accounts;
  jobs: Jobs;
  photos: Photos;
  queuedJobs: QueuedJobs;
  queuedJobReads: QueuedJobReads;
  queuePlaces: QueuePlaces;
  eventLog: EventLog;
  feed: Feed;
  fileUrls: FileUrls;
  limits: { maxUnfinished: number; maxUploadBytes: number; maxStoredBytes: number; maxPhotoPixels: number };
  info: { version: string; revision: string | null; startedAt: Date };
}

/** Of one operation. */
export interface Context extends Services, HasLoaders {
  /** Who asks. */
  user: User;
  requestId: string;
  /** Made when there is something to say. */
  log: () => Logger;
}

/** `cached`: false for a subscription, whose context lives as long as the stream and must not tell what was once loaded. */
export function createContext(services: Services, request: { user: User; requestId: string; log: () => Logger; cached: boolean }): Context {
  return Object.assign(Object.create(services) as Services, request, { loaders: null });
}
