import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { laneQueueName } from "../../src/queue/hint-queue.js";
import { createRedis } from "../../src/runtime/redis.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { testRedis } from "../support/stores/test-redis.js";
import type { TestClient } from "../support/clients/test-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

describe("a worker and the API", () => {
  const { url, prefix } = testRedis();
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({ redisPrefix: prefix });
    person = await service.person();
  });
  after(() => service.close());

  it("send only the first hint of a chain through Redis", async () => {
    const jobs = ["a", "b", "c"].map((key, i, keys) => ({
      key,
      job: "echo",
      after: keys.slice(Math.max(0, i - 1), i),
    }));
    const { enqueueGroup } = await person.get(
      "mutation ($input: EnqueueGroupInput!) { enqueueGroup(input: $input) { id } }",
      { input: { jobs } },
    );
    const succeeded = async () =>
      (await person.get("query ($id: ID!) { jobGroup(id: $id) { succeeded } }", enqueueGroup))
        .jobGroup.succeeded;
    await eventually("all have succeeded", async () => (await succeeded()) === 3);
    const redis = createRedis({ url, prefix, purpose: "tests", failFast: false, log: silentLog });
    // BullMQ counts the hints that were ever added.
    assert.equal(await redis.get(`${prefix}:${laneQueueName("worker")}:id`), "1");
    redis.disconnect();
  });
});
