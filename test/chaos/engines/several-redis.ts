// The faults of a Redis of several servers.
import { setTimeout as pause } from "node:timers/promises";
import { REDIS_PREFIX } from "../../../src/app/create-core.js";
import { startCluster, startSentinel, type RedisNode } from "../../support/stores/redis-servers.js";
import { freezeServer } from "../faults/signals.js";
import type { ChaosRedis, Named } from "./chaos-redis.js";

/** A master and its replica, watched by a sentinel. */
export async function openSentinel(folder: string): Promise<ChaosRedis> {
  const stores = await startSentinel(folder);
  const { sentinel, master, killMaster, handOver, untilFollowed } = stores;
  const thenFollowed = async (work: () => Promise<unknown>) => {
    await work();
    await untilFollowed();
  };
  return {
    ...stores,
    proxy: null,
    faults: (aWhile) => [
      ["master of Redis killed", () => thenFollowed(async () => (await killMaster()).start())],
      ["master of Redis handed over", () => thenFollowed(handOver)],
      ["Sentinel killed", () => restart(sentinel, aWhile())],
      ...faultsOf(master, aWhile).map<Named>(([kind, inject]) => [
        kind,
        () => thenFollowed(inject),
      ]),
    ],
  };
}

/** Masters without replicas, of which one owns the slot of all keys. */
export async function openCluster(folder: string): Promise<ChaosRedis> {
  const { untilWhole, ...stores } = await startCluster(folder);
  const owner = () => stores.ownerOf(REDIS_PREFIX);
  const thenWhole = async (work: () => Promise<void>) => {
    await work();
    await untilWhole();
  };
  return {
    ...stores,
    proxy: null,
    faults: (aWhile) => [
      ["slot of Redis moved", () => thenWhole(() => stores.moveSlot(REDIS_PREFIX))],
      ["owner of the slot killed", () => thenWhole(async () => restart(await owner(), aWhile()))],
      ...faultsOf(owner, aWhile).map<Named>(([kind, inject]) => [kind, () => thenWhole(inject)]),
    ],
  };
}

async function restart(node: RedisNode, afterMs: number): Promise<void> {
  await node.kill();
  await pause(afterMs);
  await node.start();
}

/** Faults of the server to which the service is connected. */
function faultsOf(current: () => Promise<RedisNode>, aWhile: () => number): Named[] {
  return [
    ["Redis flushed", async () => void (await (await current()).client.flushall())],
    ["Redis frozen", async () => freezeServer(await current(), aWhile())],
    [
      "connections to Redis ended by it",
      async () => {
        const { client } = await current();
        for (const type of ["normal", "pubsub"])
          await client.call("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
      },
    ],
  ];
}
