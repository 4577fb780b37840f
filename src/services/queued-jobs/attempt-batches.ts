// What many attempts write at once goes to the database together.
import type { Sql } from "postgres";
import { available } from "../../db/database.js";
import { createMicroBatch } from "../../runtime/micro-batch.js";
import {
  claim,
  claimMany,
  recordProgress,
  succeed,
  succeedMany,
  type Claim,
  type PlainSuccess,
  type Progress,
  type RecordedProgress,
} from "./attempt.js";
import { createOwnerBatch } from "./owner-batch.js";
import type { Step } from "./statements.js";

/** What a batch is made of at most: as many as a worker runs at once. */
const MAX_ITEMS = 100;
/** Several, so that users do not wait for one another's counters. */
const LANES = 2;
/** How long a success waits for locked rows before its worker tries again. */
const SUCCESS_PATIENCE_MS = 2000;

export interface AttemptBatchesDeps {
  sql: Sql;
  /** The names of those that may be claimed. */
  jobs: string[];
  ttlSeconds: number;
  /** Makes the write, then tells its steps. */
  record(
    step: "claim" | "succeed",
    write: () => Promise<(Step | null)[]>,
  ): Promise<(Step | null)[]>;
}

export interface ClaimStep extends Step {
  /** When its statement was sent, by `performance.now()`: its lease began later. */
  sentAt: number;
}

export interface AttemptBatches {
  /** Rejects at once with a lock timeout while the owner's counter is locked. */
  claim(claim: Claim): Promise<ClaimStep | null>;
  succeed(success: PlainSuccess & { userId: string }): Promise<Step | null>;
  progress(progress: Progress): Promise<RecordedProgress | null>;
}

export function createAttemptBatches({
  sql,
  jobs,
  ttlSeconds,
  record,
}: AttemptBatchesDeps): AttemptBatches {
  const batches = { lanes: LANES, maxItems: MAX_ITEMS, keyOf: ({ id }: { id: string }) => id };
  const plain = {
    outputs: [],
    reusedFrom: null,
    resultVersion: null,
    ttlSeconds,
    maxStoredBytes: 0,
    maxRecordedBytes: 0,
  };
  const first = <T>([one]: (T | null)[]): T | null => one ?? null;
  async function recordClaims(
    write: () => Promise<(Step | null)[]>,
  ): Promise<(ClaimStep | null)[]> {
    const sentAt = performance.now();
    return (await record("claim", write)).map((step) => step && { ...step, sentAt });
  }
  return {
    // In one lane: what is first in the queue is to be claimed first.
    claim: createOwnerBatch<Claim, ClaimStep | null>({
      ...batches,
      laneOf: () => "",
      ownerOf: ({ userId, id }) => userId ?? id,
      patienceMs: 0,
      sendOne: (item) => recordClaims(async () => [await claim(sql, item, jobs)]).then(first),
      sendMany: (items) => recordClaims(() => claimMany(sql, items, jobs)),
    }),
    succeed: createOwnerBatch<PlainSuccess & { userId: string }, Step | null>({
      ...batches,
      laneOf: ({ userId }) => userId,
      ownerOf: ({ userId }) => userId,
      patienceMs: SUCCESS_PATIENCE_MS,
      sendOne: (item) =>
        record("succeed", async () => [await succeed(sql, { ...item, ...plain })]).then(first),
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
