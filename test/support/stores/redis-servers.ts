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

interface Node extends TestServer {
  port: number;
  client: Redis;
}

async function startNode(
  folder: string,
  lines: string[],
  { args, password }: { args?: string[]; password?: string } = {},
): Promise<Node> {
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
  /** Kills the master, and returns when the replica has become the master. */
  killMaster(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a master, its replica, and a sentinel. The URL also names a sentinel that is away. */
export async function startSentinel(folder: string): Promise<SentinelStores> {
  const login = { password: PASSWORD };
  const master = await startNode(folder, PASSWORD_LINES, login);
  const replica = await startNode(
    folder,
    [...PASSWORD_LINES, `replicaof 127.0.0.1 ${master.port}`],
    login,
  );
  await eventually("the replica follows", async () =>
    (await replica.client.info("replication")).includes("master_link_status:up"),
  );
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
    async killMaster() {
      await master.kill();
      await eventually("the replica is the master", async () =>
        (await replica.client.info("replication")).includes("role:master"),
      );
    },
    async close() {
      await Promise.all([master, replica, sentinel].map((node) => node.close()));
    },
  };
}

export interface ClusterStores {
  url: string;
  /** Moves the slot of `key`, with all its keys, to another node. */
  moveSlot(key: string): Promise<void>;
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
    moveSlot: (key) => moveSlot(nodes, key),
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

async function joinNodes(nodes: Node[], buses: number[]): Promise<void> {
  for (const [i, { client }] of nodes.entries()) {
    const share = [i, i + 1].map((part) => Math.floor((part * SLOTS) / nodes.length));
    const [from = 0, end = 0] = share;
    await client.call("CLUSTER", "ADDSLOTSRANGE", from, end - 1);
    await client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
  }
  for (const [i, { port }] of nodes.entries())
    await nodes[0]?.client.call("CLUSTER", "MEET", "127.0.0.1", port, buses[i] ?? 0);
  await eventually("every node sees the whole cluster", async () => {
    const infos = await Promise.all(
      nodes.map(({ client }) => client.call("CLUSTER", "INFO") as Promise<string>),
    );
    return infos.every(
      (info) => /cluster_state:ok/.test(info) && info.includes(`known_nodes:${nodes.length}`),
    );
  });
}

async function moveSlot(nodes: Node[], key: string): Promise<void> {
  const slot = Number(await nodes[0]?.client.call("CLUSTER", "KEYSLOT", key));
  const ids = await Promise.all(
    nodes.map(({ client }) => client.call("CLUSTER", "MYID") as Promise<string>),
  );
  const source = Math.floor((slot * nodes.length) / SLOTS);
  const target = (source + 1) % nodes.length;
  const [from, to] = [nodes[source], nodes[target]];
  if (!from || !to) throw new Error("No node owns the slot");
  const setSlot = (node: Node, ...words: string[]) =>
    node.client.call("CLUSTER", "SETSLOT", slot, ...words);
  await setSlot(to, "IMPORTING", ids[source] ?? "");
  await setSlot(from, "MIGRATING", ids[target] ?? "");
  for (;;) {
    const keys = (await from.client.call("CLUSTER", "GETKEYSINSLOT", slot, 100)) as string[];
    if (keys.length === 0) break;
    const limits = ["", 0, 5000, "AUTH", PASSWORD, "KEYS"];
    await from.client.call("MIGRATE", "127.0.0.1", to.port, ...limits, ...keys);
  }
  for (const node of [to, from]) await setSlot(node, "NODE", ids[target] ?? "");
}
