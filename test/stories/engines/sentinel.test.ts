// Tests the whole service on a Redis that a sentinel watches, and a failover of its master.
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { eventually } from "../../support/runner/eventually.js";
import { long } from "../../support/runner/long.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { startSentinel, type SentinelStores } from "../../support/stores/redis-servers.js";
import { playStory } from "./play-story.js";

describe("on Redis Sentinel", long, () => {
  const folder = temporaryFolder().path;
  let redis: SentinelStores;
  let service: TestService;
  before(async () => {
    chmodSync(folder, 0o711);
    redis = await startSentinel(folder);
    service = await startTestService({ apis: 2, env: { REDIS_URL: redis.url } });
  });
  after(async () => {
    await service?.close();
    await redis?.close();
  });

  it("the main flow works before and after the master is killed, and no job is lost", async (t) => {
    await playStory(service);
    const person = await service.person();
    const stream = person.events({ after: await person.cursor() });
    const running = await person.enqueue("echo", { durationMs: 2000 });
    await stream.next("it runs", ({ type }) => type === "STARTED");

    const failover = redis.killMaster();
    const killedAt = Date.now();
    const submitted = await Promise.all(Array.from({ length: 5 }, () => person.enqueue("echo")));
    await failover;
    for (const { id } of [running, ...submitted])
      assert.equal((await person.finished(id, 20_000)).status, "SUCCESS");
    t.diagnostic(`all jobs have finished ${Date.now() - killedAt} ms after the kill`);
    await eventually("all events arrive", () => {
      const ends = stream.events.filter(({ type }) => type === "SUCCEEDED");
      return ends.length === 6;
    });
    stream.stop();
    await playStory(service);
  });
});
