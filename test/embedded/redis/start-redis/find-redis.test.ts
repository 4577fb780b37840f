import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { findRedis } from "../../../../src/embedded/redis/start-redis.js";
import { chooseRunUser } from "../../../../src/embedded/postgres/run-user.js";
import { createScene, isRoot } from "../../scene.js";

const scene = createScene();
after(() => scene.clear());

function fake(folder: string, name: string, script: string): string {
  mkdirSync(join(scene.folder, folder), { recursive: true });
  const file = join(scene.folder, folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

const old = fake("old", "redis-server", "echo 'Redis server v=5.0.7 sha=0'");
const valkey = fake("valkey", "valkey-server", "echo 'Valkey server v=8.1.1 sha=0'");
const redis = fake("redis", "redis-server", "echo 'Redis server v=6.2.0 sha=0'");
const bundled = fake("npm", "redis-server", "echo 'Redis server v=8.2.3 sha=0'");
const options = { user: undefined, beside: join(scene.folder, "data") };
const path = (...folders: string[]) =>
  ["", "relative", ...folders.map((folder) => join(scene.folder, folder))].join(":");

test("prefers the system's redis-server, then valkey-server, then the npm package", async () => {
  assert.equal(await findRedis({ ...options, path: path("valkey", "redis"), bundled }), redis);
  assert.equal(await findRedis({ ...options, path: path("valkey"), bundled }), valkey);
  assert.equal(await findRedis({ ...options, path: "", bundled }), bundled);
});

test("skips a Redis that is too old or does not run", async () => {
  fake("broken", "redis-server", "exit 1");
  assert.equal(
    await findRedis({ ...options, path: `${path("broken")}:${join(old, "..")}`, bundled }),
    bundled,
  );
});

test(
  "runs the npm package from a copy when its folder is closed to the server's user",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  async () => {
    const closed = fake("closed", "redis-server", "echo 'Redis server v=8.2.3 sha=0'");
    chmodSync(join(scene.folder, "closed"), 0o700);
    const program = await findRedis({
      user: chooseRunUser(scene.folder),
      beside: join(scene.folder, "data"),
      path: "",
      bundled: closed,
    });
    assert.equal(program, join(scene.folder, "data/redis-8.2.3/redis-server"));
  },
);

test("says in one sentence that no Redis exists and how to install it", async () => {
  await assert.rejects(findRedis({ ...options, path: path("old"), bundled: null }), {
    name: "EmbeddedError",
    message:
      "This machine has no Redis 6.2 or newer: install it (macOS: brew install redis; " +
      "Debian and Ubuntu: sudo apt-get install redis-server; Fedora: sudo dnf install " +
      "valkey; Alpine: apk add redis), or set REDIS_URL.",
  });
});

test("says in one sentence which library the npm package needs", async () => {
  const lacking = fake(
    "lacking",
    "redis-server",
    "echo 'error while loading shared libraries: libsystemd.so.0: cannot open' >&2; exit 127",
  );
  await assert.rejects(findRedis({ ...options, path: "", bundled: lacking }), {
    message:
      "Redis cannot start because the library libsystemd.so.0 is missing: install it (on " +
      "Debian and Ubuntu: apt-get install libsystemd0) or set REDIS_URL.",
  });
});
