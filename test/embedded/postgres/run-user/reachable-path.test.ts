import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { closedParent, reachablePath } from "../../../../src/embedded/postgres/run-user.js";
import { createScene } from "../../scene.js";

const scene = createScene();
const folder = join(scene.folder, "a", "b");
const otherUser = { name: "other", uid: 4_000_000, gid: 4_000_000 };
mkdirSync(folder, { recursive: true });
after(() => scene.clear());

test("returns the path of a folder that the user can reach", () => {
  assert.equal(reachablePath(folder, undefined), folder);
  assert.equal(reachablePath(folder, otherUser), folder);
});

test(
  "returns the working directory for a folder below a closed one",
  { skip: process.platform !== "linux" && "the test needs /proc, which only Linux has" },
  () => {
    chmodSync(join(scene.folder, "a"), 0o700);
    assert.equal(closedParent(folder, otherUser), join(scene.folder, "a"));
    assert.equal(reachablePath(folder, otherUser), "/proc/self/cwd");
    assert.equal(reachablePath(folder, undefined), folder);
    assert.equal(
      closedParent(folder, { name: "owner", uid: process.getuid?.() ?? 0, gid: 4_000_000 }),
      undefined,
    );
  },
);

for (const [mode, user, passes] of [
  [0o711, otherUser, true],
  [0o555, otherUser, true],
  [0o766, otherUser, false],
  [0o770, otherUser, false],
  [0o710, { ...otherUser, gid: process.getgid?.() ?? 0 }, true],
  [0o701, { ...otherUser, gid: process.getgid?.() ?? 0 }, false],
  [0o100, { ...otherUser, uid: process.getuid?.() ?? 0 }, true],
  [0o611, { ...otherUser, uid: process.getuid?.() ?? 0 }, false],
] as const) {
  const role =
    { [otherUser.uid]: user.gid === otherUser.gid ? "another user" : "a member of its group" }[
      user.uid
    ] ?? "its owner";
  const effect = passes ? "admits" : "stops";
  test(`only the execute bit of mode ${mode.toString(8)} ${effect} ${role}`, () => {
    const parent = join(scene.folder, "a");
    chmodSync(parent, mode);
    assert.equal(closedParent(folder, user), passes ? undefined : parent);
    chmodSync(parent, 0o755);
  });
}
