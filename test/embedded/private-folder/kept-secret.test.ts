import assert from "node:assert/strict";
import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { keptSecret } from "../../../src/embedded/private-folder.js";
import { cannotBeUsed, createScene } from "../scene.js";

const scene = createScene();
const file = join(scene.folder, "password");
after(() => scene.clear());

test("creates a secret once, and makes it private again after its mode was lost", async () => {
  const secret = await keptSecret(file);
  assert.match(secret, /^[\w-]{32}$/);
  chmodSync(file, 0o644);
  assert.equal(await keptSecret(file), secret);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.notEqual(await keptSecret(join(scene.folder, "other")), secret);
});

test("says in one sentence that the file cannot be used", async () => {
  await assert.rejects(keptSecret(join(scene.folder, "none", "password")), {
    name: "EmbeddedError",
    message: cannotBeUsed("password", "ENOENT"),
  });
});
