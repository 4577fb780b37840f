import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { currentDeadline, withoutDeadline } from "../../runtime/deadline.js";
import { ServiceUnavailableError } from "../../domain/errors.js";
import { failpoint } from "../../runtime/failpoint.js";
import type { Logger } from "../../runtime/logger.js";
import type { Recorder } from "./recorder.js";
import {
  findExpired,
  removeExpired,
  removeFinished,
  type Finished,
  type Removed,
} from "./remove.js";

export interface RemoverDeps {
  sql: Sql;
  record: Recorder["record"];
  logSteps: Recorder["logSteps"];
  deleteFiles(storageKeys: string[]): Promise<void>;
  log: Logger;
}

/** Rows that one statement removes. */
const BATCH_SIZE = 200;
/** What one statement may take: with less time left, a call that somebody waits for begins none. */
const STATEMENT_MS = 5000;

export function createRemover({ sql, record, logSteps, deleteFiles, log }: RemoverDeps) {
  /** Expired rows that could not be removed: passed by as long as this process lives. */
  const broken = new Set<string>();

  async function recordRemoval(write: () => Promise<Removed[]>): Promise<Removed[]> {
    let removed: Removed[] = [];
    const steps = await record("delete", async () => {
      removed = await write();
      return removed.map(({ step }) => step);
    });
    logSteps(steps, "delete");
    await failpoint("delete: before the files go");
    return removed;
  }

  /** Never rejects: files that are left over are swept. */
  async function deleteFilesOf(removed: readonly Removed[]): Promise<void> {
    const keys = removed.flatMap(({ storageKeys }) => storageKeys);
    if (keys.length === 0) return;
    await deleteFiles(keys).catch((error) =>
      log.warn({ err: error, files: keys.length }, "outputs of deleted QueuedJobs are left over"),
    );
  }

  /** Passes by each that cannot be removed. */
  async function removeSingly(finished: readonly Finished[]): Promise<Removed[]> {
    const removed: Removed[] = [];
    for (const one of finished) {
      try {
        removed.push(...(await recordRemoval(() => removeFinished(sql, [one], { wait: false }))));
      } catch (error) {
        if (error instanceof ServiceUnavailableError) throw error;
        broken.add(one.id);
        log.error({ err: error, queuedJobId: one.id }, "a QueuedJob cannot be removed");
      }
    }
    return removed;
  }

  /** In one statement; where one of them fails it, one by one. */
  async function removeTogether(finished: readonly Finished[]): Promise<Removed[]> {
    try {
      return await recordRemoval(() => removeFinished(sql, finished, { wait: false }));
    } catch (error) {
      if (error instanceof ServiceUnavailableError) throw error;
      return removeSingly(finished);
    }
  }

  return {
    /** False when it has changed since it was read. */
    async one(finished: Finished): Promise<boolean> {
      const removed = await recordRemoval(() => removeFinished(sql, [finished], { wait: true }));
      await deleteFilesOf(removed);
      return removed.length > 0;
    },

    /**
     * Returns how many were removed: fewer when time runs out or the database goes away. Their
     * files are deleted after the answer, which does not depend on the storage.
     */
    async many(finished: readonly Finished[]): Promise<number> {
      let count = 0;
      for (let i = 0; i < finished.length; i += BATCH_SIZE) {
        if ((currentDeadline()?.left() ?? Infinity) < STATEMENT_MS) break;
        try {
          const removed = await removeTogether(finished.slice(i, i + BATCH_SIZE));
          withoutDeadline(() => void deleteFilesOf(removed));
          count += removed.length;
        } catch (error) {
          if (count > 0 && error instanceof ServiceUnavailableError) break;
          throw error;
        }
      }
      return count;
    },

    /** Removes finished ones whose time is up, oldest first, `limit` at most; returns how many. */
    async expired(limit: number): Promise<number> {
      const query = () => ({ limit, except: [...broken] });
      let removed: Removed[];
      try {
        removed = await recordRemoval(() => removeExpired(sql, query()));
      } catch (error) {
        if (error instanceof ServiceUnavailableError) throw error;
        removed = await removeSingly(await available(() => findExpired(sql, query())));
      }
      await deleteFilesOf(removed);
      return removed.length;
    },
  };
}
