import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { claim } from "../../../../src/services/queued-jobs/claim.js";
import type { User } from "../../../../src/services/users/users.js";
import { groupOf } from "../../../support/service/group-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("an attempt whose claim was recorded but not answered", () => {
  let services: TestServices;
  let user: User;
  before(async () => {
    services = await createTestServices();
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const lastPublished = () => services.published.at(-1);
  const request = (id: string, more = {}) => ({ id, run: 1, worker: "worker", ...more });

  it("is adopted by its worker as claimed, with a new lease", async () => {
    const { id } = await services.submit(user);
    const claimed = await claim(services.database.sql, request(id), ["echo"]);
    await services.database
      .sql`update queued_jobs set lease_until = clock_timestamp() + interval '5 seconds'
        where id = ${id}`;
    assert.equal(await services.queuedJobs.start(request(id)), null);
    const { leasedAt, ...adopted } =
      (await services.queuedJobs.adopt(request(id))) ?? assert.fail("it was not adopted");
    const { queuedJob, seq, failures, stalls, requestId } =
      claimed ?? assert.fail("it was not claimed");
    assert.deepEqual(adopted, {
      id,
      attempt: 1,
      queuedJob,
      snapshot: queuedJob,
      failures,
      stalls,
      requestId,
      startedSeq: seq,
    });
    assert.ok(performance.now() - leasedAt < 10_000);
    assert.ok(((await services.row(id)).lease ?? 0) > 25);
    assert.deepEqual(
      [lastPublished()?.type, lastPublished()?.seq, lastPublished()?.queuedJob],
      ["STARTED", seq, queuedJob],
    );
  });

  it("is published with the counts of its group as they were at its start", async () => {
    const submission = groupOf({ a: [], b: [] });
    const group = await services.queuedJobs.enqueueGroup(user.id, {
      submission,
      requestId: "request",
    });
    const [a, b] = await services.database.sql<{ id: string }[]>`
      select id from queued_jobs where group_id = ${group.id} order by id`;
    const grouped = { grouped: true };
    const [id, other] = [a?.id ?? "", b?.id ?? ""];
    const claimed = await claim(services.database.sql, request(id, grouped), ["echo"]);
    assert.ok(await services.queuedJobs.start(request(other, grouped)));
    assert.ok(await services.queuedJobs.adopt(request(id, grouped)));
    assert.deepEqual(lastPublished()?.queuedJob, claimed?.queuedJob);
    assert.equal(lastPublished()?.queuedJob.member?.group.started, 1);
  });

  it("is not adopted by another worker, by another run, or after its end", async () => {
    const { id } = await services.start(await services.submit(user));
    const adopt = (more = {}) => services.queuedJobs.adopt(request(id, more));
    assert.deepEqual([await adopt({ worker: "another" }), await adopt({ run: 2 })], [null, null]);
    await services.queuedJobs.cancel(user, id);
    assert.equal(await adopt(), null);
  });
});
