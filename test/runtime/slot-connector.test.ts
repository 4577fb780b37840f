import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { createRedis } from "../../src/runtime/redis.js";
import { freePort } from "../../src/embedded/ports.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { eventually } from "../support/runner/eventually.js";
import { silentLog } from "../support/runner/silent-log.js";
import { startCluster, type ClusterStores } from "../support/stores/redis-servers.js";

describe("a connection to a Redis Cluster", () => {
  const folder = temporaryFolder().path;
  let cluster: ClusterStores;
  before(async () => {
    chmodSync(folder, 0o711);
    cluster = await startCluster(folder, 2);
  });
  after(() => cluster.close());

  it("finds the node of its slot, although other nodes of the URL are away", async () => {
    const away = `127.0.0.1:${await freePort()}`;
    const url = cluster.url.replace("@", `@${away},`);
    const options = { url, prefix: "{a}", purpose: "tests", failFast: true, log: silentLog };
    const connections = [1, 2, 3].map(() => createRedis(options));
    for (const [i, redis] of connections.entries()) {
      await eventually("it is ready", () => redis.status === "ready");
      assert.equal(await redis.incr("{a}:count"), i + 1);
      redis.disconnect();
    }
  });

  it("follows its slot to another node with all commands under way, and without a warning", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => void warnings.push(warning);
    process.on("warning", onWarning);
    const redis = createRedis({
      url: cluster.url,
      prefix: "{a}",
      purpose: "tests",
      failFast: false,
      log: silentLog,
    });
    try {
      await redis.set("{a}:moves", 0);
      await cluster.moveSlot("{a}");
      const counts = await Promise.all(Array.from({ length: 20 }, () => redis.incr("{a}:moves")));
      assert.deepEqual(
        counts,
        Array.from({ length: 20 }, (_, i) => i + 1),
      );
      assert.deepEqual(warnings, []);
    } finally {
      process.off("warning", onWarning);
      redis.disconnect();
    }
  });
});
