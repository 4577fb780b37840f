// What many attempts write at once goes to the database together.
import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { createMicroBatch } from "../../micro-batch.js";
import { claim, claimMany, recordProgress, succeed, succeedMany } from "./attempt.js";
import type { Claim, PlainSuccess, Progress, RecordedProgress } from "./attempt.js";
import type { Step } from "./statements.js";

/** What a batch is made of at most: as many as a worker runs at once. */
const MAX_ITEMS = 100;
/** Several, so that users do not wait for one another's counters. */
const LANES = 2;

export interface AttemptBatchesDeps {
  sql: Sql;
  /** The names of those that may be claimed. */
  jobs: string[];
  ttlSeconds: number;
  /** Makes the write, then tells its steps. */
  record(step: "claim" | "succeed", write: () => Promise<(Step | null)[]>): Promise<(Step | null)[]>;
}

export interface AttemptBatches {
  claim(claim: Claim): Promise<Step | null>;
  succeed(success: PlainSuccess & { userId: string }): Promise<Step | null>;
  progress(progress: Progress): Promise<RecordedProgress | null>;
}

export function createAttemptBatches({ sql, jobs, ttlSeconds, record }: AttemptBatchesDeps): AttemptBatches {
  const batches = { lanes: LANES, maxItems: MAX_ITEMS, keyOf: ({ id }: { id: string }) => id };
  const plain = { outputs: [], reusedFrom: null, resultVersion: null, ttlSeconds, maxStoredBytes: 0, maxRecordedBytes: 0 };
  const first = <T>([one]: (T | null)[]): T | null => one ?? null;
  return {
    // Whose it is is not known before; and whoever is first in the queue is to be claimed first.
    claim: createMicroBatch<Claim, Step | null>({
      ...batches,
      laneOf: () => "",
      sendOne: (item) => record("claim", async () => [await claim(sql, item, jobs)]).then(first),
      sendMany: (items) => record("claim", () => claimMany(sql, items, jobs)),
    }),
    succeed: createMicroBatch<PlainSuccess & { userId: string }, Step | null>({
      ...batches,
      laneOf: ({ userId }) => userId,
      sendOne: (item) => record("succeed", async () => [await succeed(sql, { ...item, ...plain })]).then(first),
      sendMany: (items) => record("succeed", () => succeedMany(sql, items, ttlSeconds)),
    }),
    progress: createMicroBatch<Progress, RecordedProgress | null>({
      ...batches,
      laneOf: () => "",
      sendOne: (item) => available(() => recordProgress(sql, [item])).then(first),
      sendMany: (items) => available(() => recordProgress(sql, items)),
    }),
  };
}
