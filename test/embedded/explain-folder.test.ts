import assert from "node:assert/strict";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { explainFolder } from "../../src/embedded/explain-folder.js";
import { createScene, isRoot } from "./scene.js";

const scene = createScene();
const path = join(scene.folder, "none", ".data");
after(() => scene.clear());

for (const [code, sentence] of [
  ["ENOSPC", `The disk of ${path} is full: free some space and start again.`],
  [
    "EROFS",
    `${path} is on a read-only file system: start in a writable folder, or set ` +
      "DATABASE_URL and REDIS_URL.",
  ],
  [
    "EACCES",
    `The service may not use ${path}: change its owner to the user who starts the ` +
      "service, or set DATABASE_URL and REDIS_URL.",
  ],
  [
    "ELOOP",
    `${path} cannot be used (Error: ELOOP: mkdir): remove what is in its place, or start ` +
      "in another folder.",
  ],
] as const) {
  test(`says: ${sentence.replace(path, ".data")}`, () => {
    assert.equal(explainFolder(path, new Error(`${code}: mkdir`)).message, sentence);
  });
}

test(
  "checks the permissions when the system reports ENOENT instead of the real reason",
  { skip: isRoot && "root bypasses permissions: run the suite as an ordinary user" },
  () => {
    const closed = join(scene.folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o555);
    assert.match(
      explainFolder(join(closed, "a", "b"), new Error("ENOENT: mkdir")).message,
      /^The service may not use /,
    );
  },
);
