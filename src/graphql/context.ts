import type { EventLog } from "../events/event-log.js";
import type { Feed } from "../events/feed.js";
import type { Logger } from "../runtime/logger.js";
import type { FileUrls } from "../photos/file-urls.js";
import type { Accounts } from "../services/users/accounts.js";
import type { Jobs } from "../services/jobs/jobs.js";
import type { Pauses } from "../services/operators/pauses.js";
import type { KeptOutputs } from "../services/photos/kept-outputs.js";
import type { PhotoLibrary } from "../services/reads/photo-library.js";
import type { Photos } from "../services/photos/photos.js";
import type { GroupReads } from "../services/reads/group-reads.js";
import type { QueuePlaces } from "../services/reads/queue-places.js";
import type { QueuedJobReads } from "../services/reads/queued-job-reads.js";
import type { QueuedJobs } from "../services/queued-jobs/queued-jobs.js";
import type { User, Users } from "../services/users/users.js";
import { AnswerBudget } from "./limits/answer-budget.js";
import type { TypedJobs } from "./typed-jobs/typed-jobs.js";
import type { HasLoaders } from "./loaders.js";

/** The services that resolvers call. One object per process. */
export interface Services {
  users: Users;
  accounts: Accounts;
  jobs: Jobs;
  pauses: Pick<Pauses, "known">;
  photos: Photos;
  keptOutputs: KeptOutputs;
  photoLibrary: PhotoLibrary;
  queuedJobs: QueuedJobs;
  queuedJobReads: QueuedJobReads;
  groupReads: GroupReads;
  queuePlaces: QueuePlaces;
  eventLog: EventLog;
  feed: Feed;
  fileUrls: FileUrls;
  typedJobs: TypedJobs;
  limits: {
    maxUnfinished: number;
    maxUploadBytes: number;
    maxStoredBytes: number;
    maxPhotoPixels: number;
  };
  info: { version: string; revision: string | null; startedAt: Date };
}

/** One per operation; the services are its prototype. */
export interface Context extends Services, HasLoaders {
  user: User;
  requestId: string;
  /** Lazy, since most operations log nothing. */
  log: () => Logger;
  /** Notes about the answer that are not errors; null if there are none. */
  warnings: Warning[] | null;
}

export interface Warning {
  queuedJobId: string;
  message: string;
}

type Request = Pick<Context, "user" | "requestId" | "log">;

export function createContext(services: Services, { user, requestId, log }: Request): Context {
  return Object.assign(Object.create(services) as Services, {
    user,
    requestId,
    log,
    budget: new AnswerBudget(),
    loaders: null,
    warnings: null,
  });
}

/** Adds the warnings of the operation to its result, as `extensions.warnings`. */
export function withWarnings<Result extends object & { extensions?: object }>(
  result: Result,
  { warnings }: Context,
): Result {
  return warnings ? { ...result, extensions: { ...result.extensions, warnings } } : result;
}

/**
 * The context for another execution of the same operation, such as the next event of a stream. Its
 * answer has its own budget.
 */
export function renewContext(context: Context): Context {
  return createContext(Object.getPrototypeOf(context) as Services, context);
}
