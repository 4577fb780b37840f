import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { claimMany } from "../../../../../src/services/queued-jobs/claim.js";
import { succeedMany } from "../../../../../src/services/queued-jobs/success.js";
import { groupOf } from "../../../../support/service/group-of.js";
import {
  createTestServices,
  type TestServices,
} from "../../../../support/service/test-services.js";

const [GROUPS, SIZE] = [10, 500];

describe("a statement for the heads of ten groups of 500", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
    const user = await services.newUser();
    const keys = Array.from({ length: SIZE }, (_, place) => `${place}`);
    const submission = groupOf(Object.fromEntries(keys.map((key, i) => [key, i ? ["0"] : []])));
    for (let i = 0; i < GROUPS; i++)
      await services.queuedJobs.enqueueGroup(user.id, { submission, requestId: "request" });
  });
  after(() => services.close());

  // One that reads all successors for each successor is cancelled after 5 s.
  it("ends before its time limit", async () => {
    const { sql } = services.database;
    const heads = await sql<{ id: string }[]>`
      select id from queued_jobs where group_key = '0' order by id`;
    const claim = { run: 1, worker: "worker", grouped: true };
    await claimMany(
      sql,
      heads.map(({ id }) => ({ ...claim, id })),
      ["echo"],
    );
    const success = { attempt: 1, result: "1", grouped: true };
    const succeeded = await succeedMany(
      sql,
      heads.map(({ id }) => ({ ...success, id })),
      60,
    );
    const due = succeeded.flatMap((step) => step?.effects?.due ?? []);
    const [row] = await sql`
      select count(*) filter (where waiting_for > 0)::int as waiting,
        count(*) filter (where due_at <= now())::int as due
      from queued_jobs where status = 'PENDING'`;
    const successors = GROUPS * (SIZE - 1);
    assert.deepEqual([due.length, row], [successors, { waiting: 0, due: successors }]);
  });
});
