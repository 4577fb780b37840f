import type { Database } from "../../../src/db/database.js";
import { createEventBus, type EventBus } from "../../../src/events/event-bus.js";
import type { EventLog } from "../../../src/events/event-log.js";
import type { Hint, HintQueue } from "../../../src/queue/hint-queue.js";
import type { QueuedJob } from "../../../src/domain/queued-job.js";
import { createEventLog } from "../../../src/services/reads/event-log.js";
import {
  createQueuedJobs,
  type QueuedJobs,
} from "../../../src/services/queued-jobs/queued-jobs.js";
import type { Submission } from "../../../src/services/queued-jobs/check-submission.js";
import type { Claimed } from "../../../src/services/queued-jobs/claim.js";
import { syncCatalogue } from "../../../src/services/jobs/jobs.js";
import { createUsers, type User } from "../../../src/services/users/users.js";
import { catalogue as realCatalogue } from "../../../src/tasks/catalogue.js";
import type { Task } from "../../../src/tasks/define-task.js";
import { createTestDatabase, type TestDatabase } from "../stores/test-database.js";
import { silentLog } from "../runner/silent-log.js";
import { submissionOf } from "./submission-of.js";
import { testRedis } from "../stores/test-redis.js";

/** The services on real stores, without API and worker; the test makes each step itself. */
export interface TestCore extends TestDatabase {
  redis: { url: string; prefix: string };
  bus: EventBus;
  eventLog: EventLog;
  queuedJobs: QueuedJobs;
  hints: HintQueue;
  /** Hints added to the queue, oldest first. */
  hinted: Hint[];
  /** Ids of cancelled QueuedJobs that were published to the workers. */
  stopped: string[];
  /** While true, notifications are dropped. */
  losesNotifications: boolean;
  newUser(): Promise<User>;
  submit(user: User, submission?: Partial<Submission>): Promise<QueuedJob>;
  /** Submits `count` QueuedJobs in one statement, with one notification. */
  submitMany(user: User, count: number, submission?: Partial<Submission>): Promise<QueuedJob[]>;
  /** Starts an attempt with the last hint of this QueuedJob. */
  start(queuedJob: Pick<QueuedJob, "id">, worker?: string): Promise<Claimed>;
  /** Submits, starts and succeeds a QueuedJob. */
  finish(user: User, result?: unknown): Promise<QueuedJob>;
}

export interface TestCoreOptions {
  /** Tasks added to the real catalogue. */
  tasks?: Task[];
  /** Creates a real queue; by default hints are only recorded. */
  hints?: (redis: { url: string; prefix: string }) => HintQueue;
  deleteFiles?: (keys: string[]) => Promise<void>;
  maxStoredBytes?: number;
}

const A_GIGABYTE = 1_000_000_000;
const LIMITS = {
  maxPendingPerUser: 10_000,
  maxRecordedBytesPerUser: A_GIGABYTE,
  jobTtlSeconds: 3600,
};

export async function createTestCore(options: TestCoreOptions = {}): Promise<TestCore> {
  const testDatabase = await createTestDatabase();
  const { database } = testDatabase;
  const redis = testRedis();
  const bus = createEventBus({ redisUrl: redis.url, prefix: redis.prefix, log: silentLog });
  const added = (options.tasks ?? []).map((task) => [task.name, task] as const);
  const catalogue = new Map([...realCatalogue, ...added]);
  if (options.tasks) await syncCatalogue(database, catalogue.values());
  const queue = options.hints?.(redis) ?? null;
  const hinted: Hint[] = [];
  const hints = createNotedHints(hinted, queue);
  const stopped: string[] = [];
  const queuedJobs = createQueuedJobs({
    database,
    hints,
    catalogue,
    bus: {
      ...bus,
      publish: (userId, events) => void (core.losesNotifications || bus.publish(userId, events)),
    },
    submittable: (name) => catalogue.get(name) ?? null,
    deleteFiles: options.deleteFiles ?? (async () => {}),
    cancellations: { publish: (id) => void stopped.push(id) },
    limits: { ...LIMITS, maxStoredBytesPerUser: options.maxStoredBytes ?? A_GIGABYTE },
    log: silentLog,
  });
  const submitMany: TestCore["submitMany"] = (user, count, submission = {}) =>
    queuedJobs.enqueue(user.id, {
      single: false,
      requestId: "test",
      submissions: Array.from({ length: count }, () => submissionOf(submission)),
    });

  const core: TestCore = {
    ...testDatabase,
    redis,
    bus,
    eventLog: createEventLog(database),
    queuedJobs,
    hints,
    hinted,
    stopped,
    losesNotifications: false,
    newUser: createNewUser(database),
    submitMany,
    submit: async (user, submission) => first(await submitMany(user, 1, submission)),
    start: createStart(queuedJobs, hinted),
    async finish(user, result = null) {
      const queuedJob = await core.submit(user);
      await queuedJobs.succeed(await core.start(queuedJob), result, []);
      return queuedJob;
    },
    async close() {
      for (const part of [queue, bus, testDatabase]) await part?.close();
    },
  };
  return core;
}

function createStart(queuedJobs: QueuedJobs, hinted: Hint[]): TestCore["start"] {
  return async ({ id }, worker = "test") => {
    const run = hinted.findLast((hint) => hint.id === id)?.run ?? 0;
    const claimed = await queuedJobs.start({ id, run, worker });
    if (!claimed) throw new Error(`${id} could not be claimed`);
    return claimed;
  };
}

/** Records every hint, and passes it to the queue, if there is one. */
function createNotedHints(hinted: Hint[], queue: HintQueue | null): HintQueue {
  return {
    async add(more) {
      hinted.push(...more);
      await queue?.add(more);
    },
    addMissing: async (some) => (await queue?.addMissing(some)) ?? addMissing(hinted, some),
    hasForgotten: async () => (await queue?.hasForgotten()) ?? false,
    reportLost: async () => queue?.reportLost(),
    remove: async (lane, id, run) => queue?.remove(lane, id, run),
    memoryUsed: async () => (await queue?.memoryUsed()) ?? null,
    close: async () => {},
  };
}

function createNewUser(database: Database): () => Promise<User> {
  const users = createUsers({ database, adminEmails: [] });
  let count = 0;
  return () =>
    users.signIn({
      issuer: "test",
      subject: `person-${++count}`,
      email: `person-${count}@example.test`,
      emailVerified: true,
      name: `Person ${count}`,
      picture: null,
      issuedAt: 1,
      admin: false,
    });
}

function addMissing(hinted: Hint[], some: Hint[]): number {
  const missing = some.filter(
    (hint) => !hinted.some((other) => other.id === hint.id && other.run === hint.run),
  );
  hinted.push(...missing);
  return missing.length;
}

function first<T>(list: T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error("The list is empty");
  return one;
}
