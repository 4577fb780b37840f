// The QueuedJob service is the only writer of statuses and the only author of events. One statement
// in PostgreSQL records each step, and only then it is published; see commit.ts.
import type { Database } from "../../db/database.js";
import type { QueuedJob } from "../../domain/queued-job.js";
import type { EventBus } from "../../events/event-bus.js";
import type { HintQueue } from "../../queue/hint-queue.js";
import type { CancellationChannel } from "../../queue/cancellation-channel.js";
import { createSlots } from "../../runtime/concurrency.js";
import type { Logger } from "../../runtime/logger.js";
import type { Tracer } from "../../runtime/tracer.js";
import type { Task } from "../../tasks/define-task.js";
import type { User } from "../users/users.js";
import { createAttempts } from "./attempt.js";
import { createOperatorBatch } from "./bulk/operator-batch.js";
import { createOwnerBulk } from "./bulk/owner-bulk.js";
import { createClaims } from "./claim.js";
import { createCommitter, type CommitterDeps } from "./commit.js";
import { createDispatcher } from "./dispatch.js";
import { createEnqueue } from "./enqueue.js";
import { cancelMarked } from "./groups/cancel-marked.js";
import { createEnqueueGroup } from "./groups/enqueue-group.js";
import { readHandedPictures, type HandedPicture } from "./groups/handed-pictures.js";
import { createOwnerGroups } from "./groups/owner-groups.js";
import { createInserter } from "./insert.js";
import { createHintDue } from "./maintenance.js";
import { createTakeOver } from "./maintenance/take-over.js";
import { createOwnerSteps, findQueuedJob } from "./owner-steps.js";
import { createRemover } from "./remove.js";
import { createSuccesses } from "./success.js";

export interface QueuedJobsDeps extends Pick<CommitterDeps, "onStep"> {
  database: Database;
  bus: EventBus;
  hints: HintQueue;
  cancellations: Pick<CancellationChannel, "publish">;
  catalogue: ReadonlyMap<string, Task>;
  submittable(name: string): Task | null | Promise<Task | null>;
  deleteFiles(storageKeys: string[]): Promise<void>;
  /** Called when the reconciler sets a row aside, because it cannot process it. */
  onSetAside?: () => void;
  limits: {
    maxPendingPerUser: number;
    maxStoredBytesPerUser: number;
    maxRecordedBytesPerUser: number;
    jobTtlSeconds: number;
  };
  log: Logger;
  tracer?: Tracer;
}

export type QueuedJobs = ReturnType<typeof createQueuedJobs>;

export function createQueuedJobs(deps: QueuedJobsDeps) {
  const { sql } = deps.database;
  const dispatcher = createDispatcher({ ...deps, sql });
  const ttlSeconds = deps.limits.jobTtlSeconds;
  const committer = createCommitter({
    ...deps,
    dispatcher,
    cancelMarked: (groupIds) => cancelMarked(sql, { groupIds, ttlSeconds }),
  });
  const limits = {
    maxPending: deps.limits.maxPendingPerUser,
    maxStoredBytes: deps.limits.maxStoredBytesPerUser,
    maxRecordedBytes: deps.limits.maxRecordedBytesPerUser,
  };
  const insert = createInserter({ sql, limits, commit: committer.commit });
  const shared = { ...deps, sql, committer, limits, insert, ttlSeconds, turns: createSlots(1) };
  const remover = createRemover(shared);
  const ofGroups = createOwnerGroups({ ...shared, remover });

  return {
    /**
     * Returns the row to its owner and to admins. For others, a foreign QueuedJob looks like a
     * missing one.
     */
    find: (actor: Pick<User, "id" | "role">, id: string): Promise<QueuedJob | null> =>
      findQueuedJob(sql, actor, id),
    enqueue: createEnqueue(shared),
    enqueueGroup: createEnqueueGroup(shared),
    ...ofGroups,
    /** Reads the pictures that predecessors made for this QueuedJob. */
    handedPictures: (queuedJobId: string): Promise<HandedPicture[]> =>
      readHandedPictures(sql, queuedJobId),
    ...createClaims({ ...shared, jobs: [...deps.catalogue.keys()] }),
    ...createAttempts(shared),
    ...createSuccesses(shared),
    ...createOwnerSteps({ ...shared, remover }),
    ...createOwnerBulk({ ...shared, remover }),
    ...createOperatorBatch({ ...shared, remover }),
    /**
     * Stops attempts whose rows were deleted. A worker that misses the message stops at its next
     * lease renewal.
     */
    stopWork: (ids: readonly string[]): void => dispatcher.stopWork(ids),
    /** Takes over at most `limit` attempts whose worker died; returns their number. */
    takeOverLapsed: createTakeOver({ ...shared, commit: committer.commit }),
    hintDue: createHintDue({ ...shared, dispatcher }),
    /**
     * Removes at most `limit` expired QueuedJobs, oldest first, and then those of expired groups.
     * Returns their number.
     */
    async removeExpired(limit: number): Promise<number> {
      const removed = await remover.expired(limit);
      return removed < limit
        ? removed + (await ofGroups.removeExpiredGroups(limit - removed))
        : limit;
    },
  };
}
