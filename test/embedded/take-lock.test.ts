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

test("one caller gets the lock, others get its pid, and closing releases it", async () => {
  const lock = await takeLock(file, held);
  await assert.rejects(takeLock(file, held), {
    name: "EmbeddedError",
    message: `held by ${process.pid}`,
  });
  await lock.close();
  await lock.close();
  assert.equal(existsSync(file), false);
});

for (const [kind, content] of [
  ["of a process that has ended", "999999999 1\n"],
  ["with a pid that now belongs to another process", `${process.pid} 1\n`],
  ["without content", ""],
  ["with other content", "hello\n"],
] as const) {
  test(`takes a lock file ${kind}`, async () => {
    writeFileSync(file, content);
    const lock = await takeLock(file, held);
    await assert.rejects(takeLock(file, held), { message: `held by ${process.pid}` });
    await lock.close();
    assert.deepEqual(readdirSync(scene.folder), []);
  });
}

test("only one of many concurrent callers gets a dead lock", async () => {
  writeFileSync(file, "999999999 1\n");
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(file, held)));
  const locks = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  assert.equal(locks.length, 1);
  await locks[0]?.close();
});

test("a lock file that is still empty belongs to the process that is writing it", async () => {
  // A pipe shows when it has been read: first it is empty, then it contains the lock.
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
