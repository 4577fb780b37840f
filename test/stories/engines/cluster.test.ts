// Tests the whole service on a Redis Cluster, and the move of its slot to another node.
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { long } from "../../support/runner/long.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { startCluster, type ClusterStores } from "../../support/stores/redis-servers.js";
import { testRedis } from "../../support/stores/test-redis.js";
import { playStory } from "./play-story.js";

describe("on Redis Cluster", long, () => {
  const folder = temporaryFolder().path;
  const { prefix } = testRedis();
  let redis: ClusterStores;
  let service: TestService;
  before(async () => {
    chmodSync(folder, 0o711);
    redis = await startCluster(folder);
    const env = { REDIS_URL: redis.url };
    service = await startTestService({ apis: 2, env, redisPrefix: prefix });
  });
  after(async () => {
    await service?.close();
    await redis?.close();
  });

  it("the main flow works before and after the slot moves, and no job is lost", async (t) => {
    await playStory(service);
    const person = await service.person();
    const running = await person.enqueue("echo", { durationMs: 2000 });
    const waiting = await Promise.all(
      Array.from({ length: 20 }, (_, i) => person.enqueue("echo", { durationMs: 10 * i })),
    );
    await redis.moveSlot(prefix);
    const movedAt = Date.now();
    const last = await person.enqueue("echo");
    for (const { id } of [running, ...waiting, last])
      assert.equal((await person.finished(id, 20_000)).status, "SUCCESS");
    t.diagnostic(`all jobs have finished ${Date.now() - movedAt} ms after the move`);
    await playStory(service);
    assert.deepEqual(
      service.logged.filter(({ level }) => Number(level) >= 50),
      [],
    );
  });
});
