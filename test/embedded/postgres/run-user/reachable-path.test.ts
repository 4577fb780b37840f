import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { closedParent, reachablePath } from "../../../../src/embedded/postgres/run-user.js";
import { createScene } from "../../scene.js";

const scene = createScene();
const folder = join(scene.folder, "a", "b");
const stranger = { name: "stranger", uid: 4_000_000, gid: 4_000_000 };
mkdirSync(folder, { recursive: true });
after(() => scene.clear());

test("a folder that the user can get to is named by its path", () => {
  assert.equal(reachablePath(folder, undefined), folder);
  assert.equal(reachablePath(folder, stranger), folder);
});

test(
  "a folder below one that is closed to the user is named as the one a process stands in",
  { skip: process.platform !== "linux" && "it needs /proc, which Linux has" },
  () => {
    chmodSync(join(scene.folder, "a"), 0o700);
    assert.equal(closedParent(folder, stranger), join(scene.folder, "a"));
    assert.equal(reachablePath(folder, stranger), "/proc/self/cwd");
    assert.equal(reachablePath(folder, undefined), folder);
    assert.equal(
      closedParent(folder, { name: "owner", uid: process.getuid?.() ?? 0, gid: 4_000_000 }),
      undefined,
    );
  },
);

for (const [mode, user, passes] of [
  [0o711, stranger, true],
  [0o555, stranger, true],
  [0o766, stranger, false],
  [0o770, stranger, false],
  [0o710, { ...stranger, gid: process.getgid?.() ?? 0 }, true],
  [0o701, { ...stranger, gid: process.getgid?.() ?? 0 }, false],
  [0o100, { ...stranger, uid: process.getuid?.() ?? 0 }, true],
  [0o611, { ...stranger, uid: process.getuid?.() ?? 0 }, false],
] as const) {
  const who =
    { [stranger.uid]: user.gid === stranger.gid ? "a stranger" : "one of its group" }[user.uid] ??
    "its owner";
  test(
    `a parent of mode ${mode.toString(8)} is ${passes ? "passed" : "closed"} to ${who}, ` +
      "whatever may be read or written in it",
    () => {
      const parent = join(scene.folder, "a");
      chmodSync(parent, mode);
      assert.equal(closedParent(folder, user), passes ? undefined : parent);
      chmodSync(parent, 0o755);
    },
  );
}
