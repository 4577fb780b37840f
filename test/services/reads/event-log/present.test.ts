import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import type { EventLog } from "../../../../src/events/event-log.js";
import { createEventLog } from "../../../../src/services/reads/event-log.js";
import type { User } from "../../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

describe("the event log", () => {
  let services: TestServices;
  let log: EventLog;
  let user: User;
  before(async () => {
    services = await createTestServices();
    log = createEventLog(services.database);
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const publishedTo = ({ id }: User) =>
    services.published.filter(
      ({ type, queuedJob }) => queuedJob.userId === id && type !== "PROGRESS",
    );

  /** Deletes events as the purge does after EVENT_TTL. */
  const purge = (upTo: number) => services.database.sql`
    with gone as (delete from queued_job_events where user_id = ${user.id}
      and seq <= ${upTo}) update user_streams set floor_seq = ${upTo} where user_id = ${user.id}`;

  describe("the present state", () => {
    it("is the last event, with the current state", async () => {
      const claimed = await services.start(await services.submit(user));
      await services.queuedJobs.progress(claimed, 0.5, "half");
      await services.submit(user);
      const { event, ...rest } = (await log.present(user.id, claimed.id)) ?? assert.fail();
      assert.deepEqual(event, {
        seq: 2,
        type: "STARTED",
        at: event.at,
        queuedJob: await services.queuedJobs.find(user, claimed.id),
      });
      assert.equal(event.queuedJob.progress, 0.5);
      assert.deepEqual(rest, { lastSeq: 2, finished: false, head: 3 });
    });

    it("is final and has the outputs after a success", async () => {
      const claimed = await services.start(await services.submit(user));
      await services.queuedJobs.succeed(claimed, 1, [
        {
          name: "a",
          mimeType: "text/plain",
          byteSize: 1,
          width: null,
          height: null,
          storageKey: "k",
        },
      ]);
      const present = await log.present(user.id, claimed.id);
      assert.deepEqual(
        [present?.finished, present?.event.type, present?.event.queuedJob.outputs],
        [
          true,
          "SUCCEEDED",
          [{ name: "a", mimeType: "text/plain", byteSize: 1, width: null, height: null }],
        ],
      );
    });

    it("is null for another user, also for an admin, and for an unknown id", async () => {
      const { id } = await services.submit(user);
      assert.deepEqual(
        [
          await log.present((await services.newUser("ADMIN")).id, id),
          await log.present(user.id, uuidv7()),
        ],
        [null, null],
      );
    });

    const made: [what: string, type: string, make: () => Promise<{ id: string }>][] = [
      ["a waiting QueuedJob", "QUEUED", () => services.submit(user)],
      [
        "a QueuedJob that waits for another attempt",
        "RETRYING",
        async () => {
          const claimed = await services.start(await services.submit(user));
          await services.queuedJobs.fail(claimed, {
            code: "TASK_FAILED",
            message: "No.",
            permanent: false,
          });
          return claimed;
        },
      ],
      ["a running QueuedJob", "STARTED", async () => services.start(await services.submit(user))],
      ["a successful QueuedJob", "SUCCEEDED", () => services.finished(user)],
      [
        "a failed QueuedJob",
        "FAILED",
        async () => {
          const claimed = await services.start(await services.submit(user));
          await services.queuedJobs.fail(claimed, {
            code: "TASK_FAILED",
            message: "No.",
            permanent: true,
          });
          return claimed;
        },
      ],
      [
        "a cancelled QueuedJob",
        "CANCELLED",
        async () => services.queuedJobs.cancel(user, (await services.submit(user)).id),
      ],
    ];
    for (const [what, type, make] of made) {
      it(`is ${type} at the position of the stream for ${what} without events`, async () => {
        const { id } = await make();
        const kept = (await log.present(user.id, id))?.event;
        assert.equal(kept?.type, type);
        const head = publishedTo(user).length;
        await purge(head);
        const present = await log.present(user.id, id);
        assert.deepEqual(
          [present?.event, present?.lastSeq, present?.head],
          [{ seq: head, type, at: kept?.queuedJob.updatedAt, queuedJob: kept?.queuedJob }, 0, head],
        );
      });
    }
  });
});
