import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { initCluster } from "../../../src/embedded/postgres/init-cluster.js";
import { createScene } from "../scene.js";

const scene = createScene();
after(() => scene.clear());

/** Replaces initdb; the tests of start-postgres run the real one. */
function scenario(name: string, script: string) {
  const dataDir = join(scene.folder, name);
  mkdirSync(dataDir);
  const initdb = join(dataDir, "initdb");
  writeFileSync(initdb, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return {
    dataDir,
    programs: { initdb, postgres: "", major: "18" },
    user: undefined,
    owner: "photos",
    durable: false,
    log: scene.log,
  };
}

test("creates the data once, in a private folder", async () => {
  const options = scenario("once", "[ ! -e made ] && echo 18 > PG_VERSION && touch made");
  const data = await initCluster(options);
  assert.equal(data, join(options.dataDir, "data"));
  assert.equal(statSync(data).mode & 0o777, 0o700);
  writeFileSync(join(data, "kept"), "");
  await initCluster(options);
  assert.ok(existsSync(join(data, "kept")));
});

test("starts again after an interrupted initialization", async () => {
  const options = scenario("half", "[ ! -e half ] && echo 18 > PG_VERSION");
  mkdirSync(join(options.dataDir, "data.new"));
  for (const name of ["PG_VERSION", "half"])
    writeFileSync(join(options.dataDir, "data.new", name), "");
  await initCluster(options);
  assert.deepEqual(readdirSync(options.dataDir).sort(), ["data", "initdb"]);
});

test("reports a failure in one sentence and leaves nothing that looks like data", async () => {
  const options = scenario(
    "full",
    "echo 18 > PG_VERSION; echo 'No space left on device' >&2; exit 1",
  );
  await assert.rejects(initCluster(options), {
    name: "EmbeddedError",
    message: `The disk of ${options.dataDir} is full: free some space and start again.`,
  });
  assert.equal(existsSync(join(options.dataDir, "data")), false);
});
