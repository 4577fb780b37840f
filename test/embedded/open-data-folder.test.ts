import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { openDataFolder } from "../../src/embedded/open-data-folder.js";
import { cannotBeUsed, createScene, killHard, moduleUrl } from "./scene.js";

const scene = createScene();
const path = join(scene.folder, "deep", ".data");
after(() => scene.clear());

test("creates a folder that other users may enter but not list", async () => {
  const folder = await openDataFolder(path);
  assert.equal(folder.path, path);
  assert.equal(statSync(path).mode & 0o777, 0o711);
  await folder.close();
});

test("rejects a second run, naming the first, until the first has ended in any way", async () => {
  const { child } = await scene.launch(`
    import { openDataFolder } from ${JSON.stringify(moduleUrl("embedded/open-data-folder"))};
    await openDataFolder(${JSON.stringify(path)});
    console.log("{}");
    setInterval(() => {}, 60_000);
  `);
  await assert.rejects(openDataFolder(path), {
    name: "EmbeddedError",
    message:
      `The service already runs here as process ${child.pid} (data in ${path}): stop it ` +
      `first (Ctrl-C there, or kill ${child.pid}).`,
  });
  await killHard(child.pid!);
  const folder = await openDataFolder(path);
  await folder.close();
});

test("says in one sentence that the folder cannot be created", async () => {
  writeFileSync(join(scene.folder, "file"), "");
  await assert.rejects(openDataFolder(join(scene.folder, "file", ".data")), {
    name: "EmbeddedError",
    message: cannotBeUsed("\\.data", "ENOTDIR"),
  });
});
