import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { StoredOutput } from "../../../src/domain/queued-job.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { assertCompleteStream } from "../../support/asserts/assert-complete-stream.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const FAULT = { code: "TASK_FAILED", message: "No.", permanent: false };
const output = (name: string, more: Partial<StoredOutput> = {}): StoredOutput => ({
  name,
  mimeType: "image/webp",
  byteSize: 100,
  width: 3,
  height: 2,
  storageKey: `outputs/${name}`,
  ...more,
});

describe("an attempt", () => {
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
  const makeDue = (id: string) =>
    services.database.sql`update queued_jobs set due_at = now() where id = ${id}`;

  describe("that succeeds", () => {
    for (const result of [null, 0, "", "ü🙂", true, [], {}, { a: [null, { b: 1.5 }] }]) {
      it(`stores and publishes ${JSON.stringify(result)} as its result`, async () => {
        const { id } = await services.submit(user);
        assert.equal(
          await services.queuedJobs.succeed(await services.start({ id }), result, []),
          true,
        );
        const queuedJob = await services.queuedJobs.find(user, id);
        assert.deepEqual(
          [
            queuedJob?.status,
            queuedJob?.result,
            queuedJob?.progress,
            queuedJob?.error,
            queuedJob?.version,
          ],
          ["SUCCESS", result, 1, null, 3],
        );
        assert.deepEqual(
          [lastPublished()?.type, lastPublished()?.queuedJob],
          ["SUCCEEDED", queuedJob],
        );
      });
    }

    it("is kept for its time to live", async () => {
      const { finishedAt, expiresAt } = await services.finished(user);
      assert.equal(Date.parse(expiresAt ?? "") - Date.parse(finishedAt ?? ""), 3600_000);
    });

    it("records its outputs in order, and publishes them without their keys", async () => {
      const { id } = await services.submit(user);
      const outputs = [
        output("b.webp"),
        output("a.json", {
          mimeType: "application/json",
          width: null,
          height: null,
          byteSize: 5_000_000_000,
        }),
      ];
      await services.queuedJobs.succeed(await services.start({ id }), null, outputs);
      const visible = outputs.map(({ storageKey: _, ...rest }) => rest);
      assert.deepEqual(
        [(await services.queuedJobs.find(user, id))?.outputs, lastPublished()?.queuedJob.outputs],
        [visible, visible],
      );
      assert.deepEqual(await services.users.counters(user.id), {
        pending: 0,
        storedBytes: 5_000_000_100,
      });
    });

    it("clears the error of the attempts before it", async () => {
      const { id } = await services.submit(user);
      await services.queuedJobs.fail(await services.start({ id }), FAULT);
      await makeDue(id);
      await services.queuedJobs.succeed(await services.start({ id }), 1, []);
      assert.deepEqual(
        [
          lastPublished()?.queuedJob.error,
          lastPublished()?.queuedJob.attempts,
          lastPublished()?.queuedJob.version,
        ],
        [null, 2, 5],
      );
    });
  });

  it("leaves consistent counters, numbers and events", async () => {
    await assertConsistent(services.database.sql);
    assertCompleteStream(services);
  });
});
