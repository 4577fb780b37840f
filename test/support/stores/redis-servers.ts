// Redis with a sentinel, and a Redis Cluster, of the same program as the Redis of the tests.
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "../../../src/embedded/ports.js";
import { chooseRunUser } from "../../../src/embedded/postgres/run-user.js";
import { findRedis } from "../../../src/embedded/redis/start-redis.js";
import { eventually } from "../runner/eventually.js";
import { startTestServer, type TestServer } from "./test-server.js";

const PASSWORD = "p@ss/word";
const PASSWORD_LINES = [`requirepass ${PASSWORD}`, `masterauth ${PASSWORD}`];
const IN_URL = encodeURIComponent(PASSWORD);

export interface RedisNode extends TestServer {
  port: number;
  client: Redis;
}

async function startNode(
  folder: string,
  lines: string[],
  { args, password }: { args?: string[]; password?: string } = {},
): Promise<RedisNode> {
  const port = await freePort();
  const program = { user: chooseRunUser(folder), beside: folder, path: process.env["PATH"] ?? "" };
  const place = ["bind 127.0.0.1", `port ${port}`, "dir ./", "daemonize no", 'save ""'];
  const server = await startTestServer({
    folder: join(folder, `redis-${port}`),
    command: await findRedis(program),
    port,
    files: { "redis.conf": `${[...place, ...lines].join("\n")}\n` },
    ...(args && { args }),
  });
  const client = new Redis({ port, ...(password && { password }) });
  client.on("error", () => {});
  async function close(): Promise<void> {
    client.disconnect();
    await server.close();
  }
  return { ...server, port, client, close };
}

export interface SentinelStores {
  url: string;
  sentinel: RedisNode;
  /** Returns the node that the sentinel names. */
  master(): Promise<RedisNode>;
  /** Kills the master, and returns it when the replica has become the master. */
  killMaster(): Promise<RedisNode>;
  /** Makes the replica the master while both are alive. */
  handOver(): Promise<void>;
  /** Resolves when the other node follows the master. */
  untilFollowed(): Promise<void>;
  close(): Promise<void>;
}

/** Longer than a failover that has to be repeated. */
const WITHIN_MS = 60_000;

/** Starts a master, its replica, and a sentinel. The URL also names a sentinel that is away. */
export async function startSentinel(folder: string): Promise<SentinelStores> {
  const login = { password: PASSWORD };
  const master = await startNode(folder, PASSWORD_LINES, login);
  const replica = await startNode(
    folder,
    [...PASSWORD_LINES, `replicaof 127.0.0.1 ${master.port}`],
    login,
  );
  const nodes = [master, replica];
  await eventually("the replica follows", () => follows(replica, master));
  const watch = (rest: string) => `sentinel ${rest}`;
  const sentinel = await startNode(
    folder,
    [
      watch(`monitor photos 127.0.0.1 ${master.port} 1`),
      watch(`auth-pass photos ${PASSWORD}`),
      watch("down-after-milliseconds photos 500"),
      watch("failover-timeout photos 3000"),
    ],
    { args: ["{}", "--sentinel"] },
  );
  await eventually("the sentinel knows the replica", async () => {
    const replicas = (await sentinel.client.call("SENTINEL", "REPLICAS", "photos")) as unknown[];
    return replicas.length > 0;
  });
  const away = await freePort();
  const hosts = `127.0.0.1:${away},127.0.0.1:${sentinel.port}`;
  return {
    url: `redis+sentinel://:${IN_URL}@${hosts}/photos?db=1`,
    sentinel,
    ...failoversOf(nodes, sentinel),
    async close() {
      await Promise.all([...nodes, sentinel].map((node) => node.close()));
    },
  };
}

function failoversOf(
  nodes: RedisNode[],
  sentinel: RedisNode,
): Omit<SentinelStores, "url" | "sentinel" | "close"> {
  async function findMaster(): Promise<RedisNode> {
    const address = await sentinel.client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "photos");
    const node = nodes.find(({ port }) => String(port) === (address as string[])[1]);
    if (!node) throw new Error(`The sentinel names ${String(address)}`);
    return node;
  }
  async function failOver(begin: (old: RedisNode) => Promise<unknown>): Promise<RedisNode> {
    const old = await findMaster();
    await begin(old);
    const isReplaced = async () => {
      const node = await findMaster();
      return node !== old && (await node.client.info("replication")).includes("role:master");
    };
    await eventually("the replica is the master", isReplaced, WITHIN_MS);
    return old;
  }
  return {
    master: findMaster,
    killMaster: () => failOver((node) => node.kill()),
    async handOver() {
      const order = () => sentinel.client.call("SENTINEL", "FAILOVER", "photos");
      // The sentinel refuses while it knows of no replica that is ready.
      await failOver(() => eventually("the sentinel begins", order, WITHIN_MS));
    },
    async untilFollowed() {
      const isFollowed = async () => {
        const node = await findMaster();
        const [other] = nodes.filter((one) => one !== node);
        return other !== undefined && (await follows(other, node));
      };
      await eventually("the other node follows the master", isFollowed, WITHIN_MS);
    },
  };
}

async function follows(replica: RedisNode, { port }: RedisNode): Promise<boolean> {
  const info = await replica.client.info("replication");
  return info.includes("master_link_status:up") && info.includes(`master_port:${port}\r`);
}

export interface ClusterStores {
  url: string;
  /** Returns the node that owns the slot of `key`. */
  ownerOf(key: string): Promise<RedisNode>;
  /** Moves the slot of `key`, with all its keys, to another node. */
  moveSlot(key: string): Promise<void>;
  /** Resolves when every node sees the whole cluster. */
  untilWhole(): Promise<void>;
  close(): Promise<void>;
}

const SLOTS = 16_384;

/** Starts a cluster of masters. */
export async function startCluster(folder: string, size = 3): Promise<ClusterStores> {
  const buses = await Promise.all(Array.from({ length: size }, () => freePort()));
  const nodes = await Promise.all(
    buses.map((bus) => {
      const lines = ["cluster-enabled yes", "cluster-node-timeout 2000", `cluster-port ${bus}`];
      return startNode(folder, [...PASSWORD_LINES, ...lines], { password: PASSWORD });
    }),
  );
  await joinNodes(nodes, buses);
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  return {
    url: `redis+cluster://:${IN_URL}@${hosts.join()}`,
    ownerOf: async (key) => findOwner(nodes, await slotOf(nodes, key)),
    moveSlot: (key) => moveSlot(nodes, key),
    untilWhole: () => untilWhole(nodes),
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

async function joinNodes(nodes: RedisNode[], buses: number[]): Promise<void> {
  for (const [i, { client }] of nodes.entries()) {
    const share = [i, i + 1].map((part) => Math.floor((part * SLOTS) / nodes.length));
    const [from = 0, end = 0] = share;
    await client.call("CLUSTER", "ADDSLOTSRANGE", from, end - 1);
    await client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
  }
  for (const [i, { port }] of nodes.entries())
    await nodes[0]?.client.call("CLUSTER", "MEET", "127.0.0.1", port, buses[i] ?? 0);
  await untilWhole(nodes);
}

async function untilWhole(nodes: RedisNode[]): Promise<void> {
  const isWhole = async () => {
    const infos = await Promise.all(
      nodes.map(({ client }) => client.call("CLUSTER", "INFO") as Promise<string>),
    );
    return infos.every(
      (info) => /cluster_state:ok/.test(info) && info.includes(`known_nodes:${nodes.length}`),
    );
  };
  await eventually("every node sees the whole cluster", isWhole, WITHIN_MS);
}

async function slotOf([node]: RedisNode[], key: string): Promise<number> {
  return Number(await node?.client.call("CLUSTER", "KEYSLOT", key));
}

/** Returns the node that names itself; others may not know yet that a slot has moved. */
async function findOwner(nodes: RedisNode[], slot: number): Promise<RedisNode> {
  for (const node of nodes) {
    const ranges = await node.client.cluster("SLOTS");
    const range = ranges.find(([first, last]) => first <= slot && slot <= last);
    if (range?.[2]?.[1] === node.port) return node;
  }
  throw new Error(`No node owns the slot ${slot}`);
}

async function moveSlot(nodes: RedisNode[], key: string): Promise<void> {
  const slot = await slotOf(nodes, key);
  const from = await findOwner(nodes, slot);
  const to = nodes[(nodes.indexOf(from) + 1) % nodes.length] ?? from;
  const [source, target] = await Promise.all(
    [from, to].map(({ client }) => client.call("CLUSTER", "MYID") as Promise<string>),
  );
  const setSlot = (node: RedisNode, ...words: string[]) =>
    node.client.call("CLUSTER", "SETSLOT", slot, ...words);
  await setSlot(to, "IMPORTING", source ?? "");
  await setSlot(from, "MIGRATING", target ?? "");
  for (;;) {
    const keys = (await from.client.call("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
    if (keys.length === 0) break;
    const limits = ["", 0, 5000, "AUTH", PASSWORD, "KEYS"];
    await from.client.call("MIGRATE", "127.0.0.1", to.port, ...limits, ...keys);
  }
  for (const node of [to, from]) await setSlot(node, "NODE", target ?? "");
}
