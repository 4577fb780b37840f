import assert from "node:assert/strict";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { Redis } from "ioredis";
import { processesIn } from "../../../src/embedded/processes/processes-in.js";
import { startRedis } from "../../../src/embedded/redis/start-redis.js";
import { eventually } from "../../support/runner/eventually.js";
import {
  bundledRedis,
  createScene,
  isAlive,
  isRoot,
  killHard,
  moduleUrl,
  uidOf,
} from "../scene.js";

const scene = createScene();
const dataDir = join(scene.folder, "redis");
const data = join(dataDir, "data");
const programs = ["redis-server", "valkey-server"];
const path = process.env["PATH"] ?? "";
const start = async () => scene.use(await startRedis({ dataDir, log: scene.log, path }));
after(() => scene.clear());

async function ask(url: string, ...command: [string, ...string[]]): Promise<unknown> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return await redis.call(...command);
  } finally {
    redis.disconnect();
  }
}

function launcher() {
  return scene.launch<{ url: string; pid: number }>(`
    import { startRedis } from ${JSON.stringify(moduleUrl("embedded/redis/start-redis"))};
    import { createLoggerTo } from ${JSON.stringify(moduleUrl("runtime/logger"))};
    const log = createLoggerTo({ write() {} });
    const [dataDir, path] = ${JSON.stringify([dataDir, path])};
    const { url, pid } = await startRedis({ dataDir, log, path });
    process.on("SIGINT", () => console.log("interrupted"));
    console.log(JSON.stringify({ url, pid }));
    setInterval(() => {}, 60_000);
  `);
}

test("the first start creates a Redis on 127.0.0.1 that keeps all data", async () => {
  const server = await start();
  const settings = {
    bind: "127.0.0.1",
    appendonly: "yes",
    appendfsync: "everysec",
    "maxmemory-policy": "noeviction",
    save: "",
  };
  for (const [name, value] of Object.entries(settings))
    assert.deepEqual(await ask(server.url, "config", "get", name), [name, value]);
  await ask(server.url, "set", "kept", "1");
  await server.close();
  assert.equal(isAlive(server.pid), false);
});

test("the next start has the same data and URL, and requires the password", async () => {
  const server = await start();
  assert.equal(await ask(server.url, "get", "kept"), "1");
  const password = readFileSync(join(dataDir, "password"), "utf8");
  for (const file of ["password", "redis.conf"])
    assert.equal(statSync(join(dataDir, file)).mode & 0o777, 0o600);
  if (process.platform === "linux")
    assert.doesNotMatch(readFileSync(`/proc/${server.pid}/cmdline`, "utf8"), new RegExp(password));
  await assert.rejects(ask(`redis://:wrong@127.0.0.1:${server.port}`, "get", "kept"));
  await server.close();
});

test(
  "Redis runs as another user when started by root",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  async () => {
    const server = await start();
    assert.notEqual(uidOf(server.pid), 0);
    await server.close();
  },
);

test("a Ctrl-C that signals the whole process group does not reach Redis", async () => {
  const { child, firstLine: launched } = await launcher();
  const output = once(child.stdout!, "data");
  process.kill(-child.pid!, "SIGINT");
  await output;
  assert.equal(await ask(launched.url, "ping"), "PONG");
  await killHard(child.pid!);
  await killHard(launched.pid);
});

test("a start after a killed launcher replaces the remaining Redis", async () => {
  const { child, firstLine: launched } = await launcher();
  await ask(launched.url, "set", "kept", "2");
  await killHard(child.pid!);
  assert.equal(isAlive(launched.pid), true);
  const server = await start();
  assert.equal(isAlive(launched.pid), false);
  assert.equal(server.url, launched.url);
  assert.equal(await ask(server.url, "get", "kept"), "2");
  await server.close();
});

test("a Redis that dies is started again with the same URL and data", async () => {
  const server = await start();
  const first = server.pid;
  await ask(server.url, "set", "kept", "3");
  await killHard(first);
  assert.equal(await eventually("it answers again", () => ask(server.url, "get", "kept")), "3");
  await eventually("it is another process", () => server.pid !== first);
  await server.close();
  assert.deepEqual(processesIn(data, programs), []);
});

test("a start uses a free port when another program has taken the previous one", async () => {
  const port = Number(readFileSync(join(dataDir, "port"), "utf8"));
  const other = createServer().listen(port, "127.0.0.1");
  await once(other, "listening");
  const server = await start();
  assert.notEqual(server.port, port);
  assert.equal(await ask(server.url, "ping"), "PONG");
  await server.close();
  other.close();
});

test("a second start in the same folder is rejected without harm to the first", async () => {
  const server = await start();
  await assert.rejects(start(), {
    name: "EmbeddedError",
    message:
      `Redis already runs in ${dataDir} for process ${process.pid}: stop it first (kill ` +
      `${process.pid}).`,
  });
  assert.equal(await ask(server.url, "ping"), "PONG");
  await server.close();
});

test("unreadable data is put aside, because PostgreSQL can restore it", async () => {
  const base = join(data, "appendonlydir", "appendonly.aof.1.base.rdb");
  assert.ok(existsSync(base));
  truncateSync(base, 20);
  const server = await start();
  assert.equal(await ask(server.url, "get", "kept"), null);
  assert.ok(existsSync(join(`${data}.unreadable`, "appendonlydir")));
  assert.ok(scene.lines.some((line) => line.includes("the data is put aside")));
  await server.close();
});

test(
  "root can use a folder that is closed to other users",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  async () => {
    const closed = join(scene.folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o700);
    const server = scene.use(
      await startRedis({ dataDir: join(closed, "redis"), log: scene.log, path }),
    );
    assert.equal(await ask(server.url, "ping"), "PONG");
    await server.close();
  },
);

test(
  "a server that ends at once is reported in one sentence, and its folder is unlocked",
  { skip: bundledRedis() === null && "npm has no Redis for this system" },
  async () => {
    const program = join(scene.folder, "redis-server");
    writeFileSync(
      program,
      `#!/bin/sh\n[ "$1" = --version ] && exec ${bundledRedis()} --version\necho "No ` +
        `space left on device"; exit 1\n`,
      { mode: 0o755 },
    );
    const broken = startRedis({
      dataDir: join(scene.folder, "full"),
      log: scene.log,
      path: scene.folder,
      bundled: null,
    });
    const folder = join(scene.folder, "full");
    const message = `The disk of ${folder} is full: free some space and start again.`;
    await assert.rejects(broken, { name: "EmbeddedError", message });
    assert.equal(existsSync(join(scene.folder, "full", "lock")), false);
  },
);
