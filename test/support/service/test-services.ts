import { randomBytes } from "node:crypto";
import type { Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import type { Database } from "../../../src/db/database.js";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import type { Logger } from "../../../src/runtime/logger.js";
import type { PhotoEvent } from "../../../src/domain/photo-event.js";
import type { QueuedJob, QueuedJobEvent } from "../../../src/domain/queued-job.js";
import type { EventBus } from "../../../src/events/event-bus.js";
import type { Hint, HintQueue } from "../../../src/queue/hint-queue.js";
import {
  createPhotos,
  type NewPhoto,
  type Photo,
  type Photos,
} from "../../../src/services/photos/photos.js";
import {
  createQueuedJobs,
  type QueuedJobs,
} from "../../../src/services/queued-jobs/queued-jobs.js";
import type { Submission } from "../../../src/services/queued-jobs/check-submission.js";
import type { Claimed } from "../../../src/services/queued-jobs/claim.js";
import { syncCatalogue } from "../../../src/services/jobs/jobs.js";
import { createUsers, type User, type Users } from "../../../src/services/users/users.js";
import { catalogue as realCatalogue } from "../../../src/tasks/catalogue.js";
import type { Task } from "../../../src/tasks/define-task.js";
import { albumTask } from "./album-task.js";
import { eventually } from "../runner/eventually.js";
import { silentLog } from "../runner/silent-log.js";
import { submissionOf } from "./submission-of.js";
import { readEverythingOf } from "./read-everything-of.js";
import { createTestDatabase, type TestDatabase } from "../stores/test-database.js";

interface Services {
  queuedJobs: QueuedJobs;
  /** Tasks by name; a change applies from the next submission on. */
  catalogue: Map<string, Task>;
  photos: Photos;
  users: Users;
  /** Records what is published. */
  bus: EventBus;
}

/** Recorded calls to Redis and to the storage. */
interface Notes {
  /** Every published event in order, including PROGRESS. */
  published: QueuedJobEvent[];
  publishedPhotos: PhotoEvent[];
  /** Number of events in each notification. */
  notifications: number[];
  hinted: Hint[];
  /** Hints that the reconciler offered to the queue. */
  offered: Hint[];
  unhinted: { lane: string; id: string; run: number }[];
  /** Ids of cancelled QueuedJobs that were published to the workers. */
  stopped: string[];
  deletedFiles: string[];
}

/** The services on their own database. Calls to Redis and to the storage are only recorded. */
export interface TestServices extends TestDatabase, Services, Notes {
  /** While true, Redis is unavailable to the reconciler. */
  losesHints: boolean;
  newUser(role?: User["role"]): Promise<User>;
  newPhoto(user: User, more?: Partial<NewPhoto>): Promise<Photo>;
  submit(user: User, submission?: Partial<Submission>): Promise<QueuedJob>;
  submitMany(
    user: User,
    submissions: Partial<Submission>[],
    more?: { requestId?: string },
  ): Promise<QueuedJob[]>;
  /** Claims the QueuedJob with its last hint. */
  start(queuedJob: { id: string }, worker?: string): Promise<Claimed>;
  /** Submits, starts and succeeds a QueuedJob. */
  finished(user: User, submission?: Partial<Submission>): Promise<QueuedJob>;
  row(id: string): Promise<Row>;
  /** All rows of a user and their QueuedJobs, to compare them with a later state. */
  everythingOf(user: User): Promise<unknown>;
}

/** Columns that the API does not return. */
export interface Row {
  status: string;
  run: number;
  version: number;
  attempts: number;
  failures: number;
  stalls: number;
  worker: string | null;
  /** Remaining seconds of the lease; null without a lease. */
  lease: number | null;
  /** Seconds between the last update and the due time. */
  pause: number;
  progress: number;
}

interface TestServicesOptions {
  maxPending?: number;
  maxStoredBytes?: number;
  maxRecordedBytes?: number;
  deleteFiles?: (keys: string[]) => Promise<void>;
  log?: Logger;
}

export async function createTestServices(options: TestServicesOptions = {}): Promise<TestServices> {
  const testDatabase = await createTestDatabase();
  const { sql } = testDatabase.database;
  const notes: Notes = {
    published: [],
    publishedPhotos: [],
    notifications: [],
    hinted: [],
    offered: [],
    unhinted: [],
    stopped: [],
    deletedFiles: [],
  };
  const core = await createServices(testDatabase.database, notes, {
    ...options,
    losesHints: () => services.losesHints,
  });
  const services: TestServices = {
    ...testDatabase,
    ...core,
    ...notes,
    losesHints: false,
    ...createPeople(core),
    ...createSubmissions(core, notes),
    async finished(user, submission) {
      const queuedJob = await services.submit(user, submission);
      await services.queuedJobs.succeed(await services.start(queuedJob), { done: true }, []);
      return theOne([(await services.queuedJobs.find(user, queuedJob.id)) ?? queuedJob]);
    },
    row: (id) => readRow(sql, id),
    everythingOf: (user) => readEverythingOf(sql, user),
  };
  return services;
}

async function createServices(
  database: Database,
  notes: Notes,
  options: TestServicesOptions & { losesHints: () => boolean },
): Promise<Services> {
  const catalogue = new Map<string, Task>([...realCatalogue, [albumTask.name, albumTask]]);
  await syncCatalogue(database, catalogue.values());
  const deleteFiles =
    options.deleteFiles ?? (async (keys: string[]) => void notes.deletedFiles.push(...keys));
  const bus = noteBus(notes);
  const queuedJobs = createQueuedJobs({
    database,
    catalogue,
    deleteFiles,
    log: options.log ?? silentLog,
    submittable: (name) => catalogue.get(name) ?? null,
    bus,
    hints: noteHints(notes, options.losesHints),
    cancellations: { publish: (id) => void notes.stopped.push(id) },
    limits: {
      maxPendingPerUser: options.maxPending ?? 10_000,
      maxStoredBytesPerUser: options.maxStoredBytes ?? 10_000_000_000,
      maxRecordedBytesPerUser: options.maxRecordedBytes ?? 1_000_000_000,
      jobTtlSeconds: 3600,
    },
  });
  const photos = createPhotos({
    database,
    bus,
    deleteFiles,
    maxStoredBytes: options.maxStoredBytes ?? 1_000_000_000,
    maxRecordedBytes: options.maxRecordedBytes ?? 1_000_000_000,
    log: silentLog,
  });
  const users = createUsers({ database, adminEmails: ["admin@example.test"] });
  return { queuedJobs, catalogue, photos, users, bus };
}

function noteBus({ published, publishedPhotos, notifications }: Notes): EventBus {
  return {
    publish(_userId, events) {
      const jobs = events.filter((event) => "queuedJob" in event);
      published.push(...jobs);
      publishedPhotos.push(...events.filter((event) => "photo" in event));
      if (jobs.length > 0) notifications.push(jobs.length);
    },
    listen: async () => {},
    unlisten: () => {},
    onNotification: () => {},
    onReconnect: () => {},
    publishGone: async () => {},
    onGone: () => {},
    awayReason: () => null,
    probe: async () => null,
    close: async () => {},
  };
}

function noteHints({ hinted, offered, unhinted }: Notes, isAway: () => boolean): HintQueue {
  return {
    add: async (hints) => void hinted.push(...hints),
    async addMissing(hints) {
      if (isAway()) throw new ServiceUnavailableError("Redis is away.");
      offered.push(...hints);
      return hints.length;
    },
    hasForgotten: async () => false,
    reportLost: async () => {},
    memoryUsed: async () => null,
    remove: async (lane, id, run) => void unhinted.push({ lane, id, run }),
    close: async () => {},
  };
}

function createPeople({ users, photos }: Services): Pick<TestServices, "newUser" | "newPhoto"> {
  let count = 0;
  return {
    newUser: (role = "USER") =>
      users.signIn({
        issuer: "test",
        subject: `person-${++count}`,
        email: role === "ADMIN" ? "admin@example.test" : `person-${count}@example.test`,
        emailVerified: true,
        name: `Person ${count}`,
        picture: null,
        issuedAt: 1,
        admin: false,
      }),
    async newPhoto(user, more = {}) {
      const id = uuidv7();
      const photo = await photos.add({
        id,
        userId: user.id,
        filename: "a.jpg",
        mimeType: "image/jpeg",
        width: 4,
        height: 3,
        byteSize: 10,
        sha256: randomBytes(32).toString("hex"),
        storageKey: `photos/${id}`,
        previewKey: null,
        thumbhash: null,
        phash: null,
        ...more,
      });
      if (!photo) throw new Error("The user has this photo already");
      return photo;
    },
  };
}

function createSubmissions(
  { queuedJobs }: Services,
  { hinted }: Notes,
): Pick<TestServices, "submit" | "submitMany" | "start"> {
  /** Also waits for the hints, which a submission itself does not wait for. */
  async function enqueue(
    user: User,
    request: { single: boolean; requestId: string; submissions: Partial<Submission>[] },
  ): Promise<QueuedJob[]> {
    const accepted = await queuedJobs.enqueue(user.id, {
      ...request,
      submissions: request.submissions.map(submissionOf),
    });
    await eventually("all submissions are hinted", () =>
      accepted.every(({ id }) => hinted.some((hint) => hint.id === id)),
    );
    return accepted;
  }

  return {
    submit: async (user, one = {}) =>
      theOne(await enqueue(user, { single: true, requestId: "request", submissions: [one] })),
    submitMany: (user, submissions, { requestId = "request" } = {}) =>
      enqueue(user, { single: false, requestId, submissions }),
    async start({ id }, worker = "worker") {
      const run = hinted.findLast((hint) => hint.id === id)?.run ?? 0;
      const claimed = await queuedJobs.start({ id, run, worker });
      if (!claimed) throw new Error(`${id} could not be claimed`);
      return claimed;
    },
  };
}

async function readRow(sql: Sql, id: string): Promise<Row> {
  return theOne(
    await sql<Row[]>`
      select status, run, version, attempts, failures, stalls, worker, progress, extract(epoch
        from lease_until - clock_timestamp())::float8 as lease, extract(epoch
          from due_at - updated_at)::float8 as pause
      from queued_jobs where id = ${id}`,
  );
}

function theOne<T>(list: T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error("The list is empty");
  return one;
}
