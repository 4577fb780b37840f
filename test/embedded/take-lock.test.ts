import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { takeLock } from "../../src/embedded/take-lock.js";
import { createScene } from "./scene.js";

const scene = createScene();
const file = join(scene.folder, "lock");
const held = (pid: number) => `held by ${pid}`;
after(() => scene.clear());

test("one has it, the others are told who, and closing gives it back", async () => {
  const lock = await takeLock(file, held);
  await assert.rejects(takeLock(file, held), { name: "EmbeddedError", message: `held by ${process.pid}` });
  await lock.close();
  await lock.close();
  assert.equal(existsSync(file), false);
});

for (const [whose, content] of [
  ["of a process that is gone", "999999999 1\n"],
  ["whose pid belongs to another process now", `${process.pid} 1\n`],
  ["that is empty", ""],
  ["that is no lock", "hello\n"],
] as const) {
  test(`a lock ${whose} is nobody's`, async () => {
    writeFileSync(file, content);
    const lock = await takeLock(file, held);
    await assert.rejects(takeLock(file, held), { message: `held by ${process.pid}` });
    await lock.close();
    assert.deepEqual(readdirSync(scene.folder), []);
  });
}

test("of many who find a dead lock at once, one gets it", async () => {
  writeFileSync(file, "999999999 1\n");
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(file, held)));
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
});
