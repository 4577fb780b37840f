import { randomBytes } from "node:crypto";
import { v7 as uuidv7 } from "uuid";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";
import type { Logger } from "../../../src/runtime/logger.js";
import type { QueuedJob, QueuedJobEvent } from "../../../src/domain/queued-job.js";
import type { Hint } from "../../../src/queue/hint-queue.js";
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
import { syncCatalogue } from "../../../src/services/jobs/sync-catalogue.js";
import { createUsers, type User, type Users } from "../../../src/services/users/users.js";
import { catalogue as realCatalogue } from "../../../src/tasks/catalogue.js";
import type { Task } from "../../../src/tasks/define-task.js";
import { albumTask } from "./album-task.js";
import { eventually } from "../runner/eventually.js";
import { silentLog } from "../runner/silent-log.js";
import { submissionOf } from "./submission-of.js";
import { createTestDatabase, type TestDatabase } from "../stores/test-database.js";

/**
 * The rules on a PostgreSQL of their own; what would go to Redis and to the storage is noted
 * instead.
 */
export interface TestWaist extends TestDatabase {
  queuedJobs: QueuedJobs;
  /** The tasks of it; changes count from the next submission on. */
  catalogue: Map<string, Task>;
  photos: Photos;
  users: Users;
  /** Every event that was rung, in the order of the ringing, PROGRESS too. */
  rung: QueuedJobEvent[];
  /** How many events each bell carried. */
  bells: number[];
  hinted: Hint[];
  /** What the reconciler would put back where it is missing. */
  offered: Hint[];
  /** While true, Redis is away for the reconciler. */
  losesHints: boolean;
  unhinted: { lane: string; id: string; run: number }[];
  /** Attempts that were told to stop, by the ids of their QueuedJobs. */
  stopped: string[];
  deletedFiles: string[];
  newUser(role?: User["role"]): Promise<User>;
  newPhoto(user: User, more?: Partial<NewPhoto>): Promise<Photo>;
  submit(user: User, submission?: Partial<Submission>): Promise<QueuedJob>;
  submitMany(
    user: User,
    submissions: Partial<Submission>[],
    more?: { requestId?: string },
  ): Promise<QueuedJob[]>;
  /** Claims it by its last hint. */
  start(queuedJob: { id: string }, worker?: string): Promise<Claimed>;
  /** Submitted, started and succeeded. */
  finished(user: User, submission?: Partial<Submission>): Promise<QueuedJob>;
  row(id: string): Promise<Row>;
  /** All that may be written of a QueuedJob and its owner, to be compared with what it is later. */
  everythingOf(user: User): Promise<unknown>;
}

/** The columns that only the service knows. */
export interface Row {
  status: string;
  run: number;
  version: number;
  attempts: number;
  failures: number;
  stalls: number;
  worker: string | null;
  /** Seconds from now; null without a lease. */
  lease: number | null;
  /** Due so many seconds after it was touched last. */
  pause: number;
  progress: number;
}

export async function createTestWaist(
  options: {
    maxPending?: number;
    maxStoredBytes?: number;
    maxRecordedBytes?: number;
    deleteFiles?: (keys: string[]) => Promise<void>;
    log?: Logger;
  } = {},
): Promise<TestWaist> {
  const testDatabase = await createTestDatabase();
  const { database } = testDatabase;
  const { sql } = database;
  const catalogue = new Map<string, Task>([...realCatalogue, [albumTask.name, albumTask]]);
  await syncCatalogue(database, catalogue.values());
  const rung: QueuedJobEvent[] = [];
  const bells: number[] = [];
  const hinted: Hint[] = [];
  const offered: Hint[] = [];
  const unhinted: TestWaist["unhinted"] = [];
  const stopped: string[] = [];
  const deletedFiles: string[] = [];
  const deleteFiles =
    options.deleteFiles ?? (async (keys: string[]) => void deletedFiles.push(...keys));
  const queuedJobs = createQueuedJobs({
    database,
    catalogue,
    deleteFiles,
    log: options.log ?? silentLog,
    submittable: (name) => catalogue.get(name) ?? null,
    bus: {
      ring(_userId, events) {
        rung.push(...events);
        bells.push(events.length);
      },
      listen: async () => {},
      unlisten: () => {},
      onBell: () => {},
      onReconnect: () => {},
      ringGone: async () => {},
      onGone: () => {},
      awayReason: () => null,
      probe: async () => null,
      close: async () => {},
    },
    hints: {
      add: async (hints) => void hinted.push(...hints),
      async addMissing(hints) {
        if (waist.losesHints) throw new ServiceUnavailableError("Redis is away.");
        offered.push(...hints);
        return hints.length;
      },
      hasForgotten: async () => false,
      remove: async (lane, id, run) => void unhinted.push({ lane, id, run }),
      close: async () => {},
    },
    stopBell: { ring: (id) => void stopped.push(id) },
    limits: {
      maxPendingPerUser: options.maxPending ?? 10_000,
      maxStoredBytesPerUser: options.maxStoredBytes ?? 10_000_000_000,
      maxRecordedBytesPerUser: options.maxRecordedBytes ?? 1_000_000_000,
      jobTtlSeconds: 3600,
    },
  });
  const photos = createPhotos({
    database,
    deleteFiles,
    maxStoredBytes: options.maxStoredBytes ?? 1_000_000_000,
    log: silentLog,
  });
  const users = createUsers({ database, adminEmails: ["admin@example.test"] });
  let made = 0;

  /** Resolves when they are hinted, too, for which their submission does not wait. */
  async function enqueue(
    user: User,
    request: { single: boolean; requestId: string; submissions: Partial<Submission>[] },
  ): Promise<QueuedJob[]> {
    const accepted = await queuedJobs.enqueue(user.id, {
      ...request,
      submissions: request.submissions.map(submissionOf),
    });
    await eventually("they are hinted", () =>
      accepted.every(({ id }) => hinted.some((hint) => hint.id === id)),
    );
    return accepted;
  }

  const waist: TestWaist = {
    ...testDatabase,
    queuedJobs,
    catalogue,
    photos,
    users,
    rung,
    bells,
    hinted,
    offered,
    losesHints: false,
    unhinted,
    stopped,
    deletedFiles,
    newUser: (role = "USER") =>
      users.signIn({
        issuer: "test",
        subject: `person-${++made}`,
        email: role === "ADMIN" ? "admin@example.test" : `person-${made}@example.test`,
        emailVerified: true,
        name: `Person ${made}`,
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
    submit: async (user, submission = {}) =>
      theOne(
        await enqueue(user, { single: true, requestId: "request", submissions: [submission] }),
      ),
    submitMany: (user, submissions, { requestId = "request" } = {}) =>
      enqueue(user, { single: false, requestId, submissions }),
    async start({ id }, worker = "worker") {
      const claimed = await queuedJobs.start({
        id,
        run: hinted.findLast((hint) => hint.id === id)?.run ?? 0,
        worker,
      });
      if (!claimed) throw new Error(`${id} could not be claimed`);
      return claimed;
    },
    async finished(user, submission) {
      const queuedJob = await waist.submit(user, submission);
      await queuedJobs.succeed(await waist.start(queuedJob), { done: true }, []);
      return theOne([(await queuedJobs.find(user, queuedJob.id)) ?? queuedJob]);
    },
    row: async (id) =>
      theOne(
        await sql<Row[]>`
      select status, run, version, attempts, failures, stalls, worker, progress, extract(epoch
        from lease_until - clock_timestamp())::float8 as lease, extract(epoch
          from due_at - updated_at)::float8 as pause
      from queued_jobs where id = ${id}`,
      ),
    async everythingOf({ id }) {
      const [jobs, events, outputs, counters] = await Promise.all([
        sql`select * from queued_jobs where user_id = ${id} order by id`,
        sql`select * from queued_job_events where user_id = ${id} order by seq`,
        sql`select o.* from queued_job_outputs o join queued_jobs q on q.id = o.queued_job_id
          where q.user_id = ${id} order by 1, 2`,
        sql`select * from user_streams where user_id = ${id}`,
      ]);
      return structuredClone({
        jobs: [...jobs],
        events: [...events],
        outputs: [...outputs],
        counters: [...counters],
      });
    },
  };
  return waist;
}

function theOne<T>(list: T[]): T {
  const [one] = list;
  if (one === undefined) throw new Error("There is none");
  return one;
}
