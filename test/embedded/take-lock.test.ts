import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { processStart, takeLock } from "../../src/embedded/take-lock.js";
import { eventually } from "../support/runner/eventually.js";
import { createScene } from "./scene.js";

const scene = createScene();
const file = join(scene.folder, "lock");
const held = (pid: number) => `held by ${pid}`;
after(() => scene.clear());

test("one has it, the others are told who, and closing gives it back", async () => {
  const lock = await takeLock(file, held);
  await assert.rejects(takeLock(file, held), {
    name: "EmbeddedError",
    message: `held by ${process.pid}`,
  });
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
  const locks = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  assert.equal(locks.length, 1);
  await locks[0]?.close();
});

test("a lock that is being made, and still empty, is its maker's", async () => {
  // A pipe, of which it is known when it was read: at first with nothing in it, then with the lock.
  execFileSync("mkfifo", [file]);
  const taking = assert.rejects(takeLock(file, held), { message: `held by ${process.pid}` });
  await (await open(file, "w")).close();
  await eventually("it was read empty", () => !isBeingRead(file));
  const pipe = await open(file, "w");
  await pipe.write(`${process.pid} ${processStart(process.pid)}\n`);
  await pipe.close();
  await taking;
  rmSync(file);
});

function isBeingRead(pipe: string): boolean {
  try {
    closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENXIO");
    return false;
  }
}
