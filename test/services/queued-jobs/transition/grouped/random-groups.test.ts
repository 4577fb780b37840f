import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { JobGroup } from "../../../../../src/domain/job-group.js";
import type { User } from "../../../../../src/services/users/users.js";
import { assertConsistent } from "../../../../support/asserts/assert-consistent.js";
import { RUNS_LONG } from "../../../../support/runner/long.js";
import { seededRandom } from "../../../../support/runner/seeded-random.js";
import { groupOf } from "../../../../support/service/group-of.js";
import {
  createTestServices,
  type TestServices,
} from "../../../../support/service/test-services.js";
import { assertExactCounts } from "./exact-counts.js";

const GROUPS = RUNS_LONG ? 40 : 12;

describe("random groups under concurrent steps", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());

  const { seed, next: random, below } = seededRandom();

  function randomGroup() {
    const size = 1 + below(12);
    const keys = Array.from({ length: size }, (_, i) => `k${i}`);
    const jobs = keys.map((key, i) => {
      const follows = keys.slice(0, i).filter(() => random() < 0.25);
      return [key, { after: follows, runsAnyway: random() < 0.3 }] as const;
    });
    return groupOf(Object.fromEntries(random() < 0.5 ? jobs : jobs.toReversed()));
  }

  /** Takes one random step for each row that can take one, all at once. */
  async function wave(user: User, group: JobGroup): Promise<void> {
    const rows = await services.database.sql<{ id: string; run: number; status: string }[]>`
      select id, run, status from queued_jobs where group_id = ${group.id}
        and (status = 'STARTED' or status = 'PENDING' and due_at <= now())`;
    const { queuedJobs } = services;
    await Promise.all(
      rows.map(async ({ id, run }) => {
        if (random() < 0.05) return queuedJobs.cancel(user, id).catch(() => null);
        const claimed = await queuedJobs.start({ id, run, worker: "w", grouped: random() < 0.5 });
        if (!claimed) return null;
        const fault = { code: "TASK_FAILED", message: "No.", permanent: true };
        return random() < 0.15
          ? queuedJobs.fail(claimed, fault)
          : queuedJobs.succeed(claimed, null, []);
      }),
    );
  }

  async function runToEnd(user: User, group: JobGroup): Promise<void> {
    for (let i = 0; i < 60; i++) {
      const now = await services.queuedJobs.findGroup(user, group.id);
      if (now?.finishedAt) return;
      if (random() < 0.02) await services.queuedJobs.cancelGroup(user, group.id);
      else await wave(user, group);
    }
    assert.fail(`a group has no end; seed ${seed}`);
  }

  it("all end, and every event has the exact counts of its step", async () => {
    const user = await services.newUser();
    const groups = await Promise.all(
      Array.from({ length: GROUPS }, () =>
        services.queuedJobs.enqueueGroup(user.id, {
          submission: randomGroup(),
          requestId: "request",
        }),
      ),
    );
    await Promise.all(groups.map((group) => runToEnd(user, group)));
    for (const group of groups) {
      const again = await services.queuedJobs.retryGroup(user, group.id).catch(() => null);
      if (again) await runToEnd(user, again);
      await assertExactCounts(services.database.sql, group, `seed ${seed}`);
    }
    await assertConsistent(services.database.sql);
  });
});
