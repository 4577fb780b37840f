import assert from "node:assert/strict";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makePrivateFolder } from "../../../src/embedded/private-folder.js";
import { cannotBeUsed, createScene, isRoot } from "../scene.js";

const scene = createScene();
after(() => scene.clear());

test("creates a folder with exactly the mode, despite umask and earlier mode", async () => {
  const path = join(scene.folder, "a", "b");
  for (const mode of [0o700, 0o711]) {
    await makePrivateFolder(path, { mode });
    assert.equal(statSync(path).mode & 0o777, mode);
  }
});

test(
  "gives files that root has copied to the server's user",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  async () => {
    const path = join(scene.folder, "copied");
    mkdirSync(join(path, "base", "1"), { recursive: true });
    writeFileSync(join(path, "base", "1", "file"), "");
    await makePrivateFolder(path, { user: { name: "ann", uid: 1234, gid: 1235 }, mode: 0o700 });
    for (const name of [".", "base", "base/1", "base/1/file"])
      assert.equal(statSync(join(path, name)).uid, 1234);
  },
);

test("says in one sentence that the folder cannot be created", async () => {
  writeFileSync(join(scene.folder, "file"), "");
  await assert.rejects(makePrivateFolder(join(scene.folder, "file", "x"), { mode: 0o700 }), {
    name: "EmbeddedError",
    message: cannotBeUsed("x", "ENOTDIR"),
  });
});
