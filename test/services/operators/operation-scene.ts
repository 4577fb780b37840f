import assert from "node:assert/strict";
import { createDuties } from "../../../src/services/maintenance/duties.js";
import { createCarrier, type Carrier } from "../../../src/services/operators/carry-out.js";
import {
  createOperations,
  type Operation,
  type Operations,
} from "../../../src/services/operators/operations.js";
import type { BulkAction } from "../../../src/services/queued-jobs/bulk/operator-batch.js";
import { ANY_JOB, type JobFilter } from "../../../src/services/reads/operator-search.js";
import type { User } from "../../../src/services/users/users.js";
import { eventually } from "../../support/runner/eventually.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

export const OPERATOR = { actor: "admin (127.0.0.1)", requestId: "click" };

export interface OperationScene {
  services: TestServices;
  operations: Operations;
  carrier: Carrier;
  /** Rows that batches reported: done and skipped. */
  batches: { done: number; skipped: number }[];
  start(action: BulkAction, filter?: Partial<JobFilter>): Promise<string>;
  /** Works as a worker does, until the operation has ended or only locked rows are left. */
  carryOut(id: string): Promise<Operation>;
  find(id: string): Promise<Operation>;
  /** Submits QueuedJobs and makes them FAILED. */
  failed(user: User, count: number): Promise<string[]>;
  close(): Promise<void>;
}

export async function createOperationScene(
  options: Parameters<typeof createTestServices>[0] = {},
): Promise<OperationScene> {
  const services = await createTestServices(options);
  const { database, queuedJobs } = services;
  const operations = createOperations(database);
  const batches: OperationScene["batches"] = [];
  const onRows = (_action: BulkAction, rows: { done: number; skipped: number }) =>
    void batches.push(rows);
  const carrier = createCarrier({ database, queuedJobs, log: silentLog, onRows });

  const find = async (id: string) => (await operations.find(id)) ?? assert.fail(id);

  return {
    services,
    operations,
    carrier,
    batches,
    find,
    async start(action, filter = {}) {
      // An operation leaves out rows that finished in the same millisecond.
      await eventually(
        "a later millisecond",
        async () =>
          (
            await database.sql`select where not exists (
              select from queued_jobs where finished_at > clock_timestamp() - interval '2 ms')`
          ).length > 0,
      );
      return operations.start({
        action,
        filter: { ...ANY_JOB, ...filter },
        matched: null,
        operator: OPERATOR,
      });
    },
    async carryOut(id) {
      const signal = AbortSignal.timeout(30_000);
      await carrier.run({ duties: createDuties(database), holder: "worker", signal });
      return find(id);
    },
    async failed(user, count) {
      const submitted = await services.submitMany(
        user,
        Array.from({ length: count }, () => ({})),
      );
      for (const queuedJob of submitted)
        await queuedJobs.fail(await services.start(queuedJob), {
          code: "TASK_FAILED",
          message: "No.",
          permanent: true,
        });
      return submitted.map(({ id }) => id);
    },
    close: services.close,
  };
}
