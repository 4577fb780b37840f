import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, test } from "node:test";
import { keepRunning, type Running } from "../../../src/embedded/processes/keep-running.js";
import { eventually } from "../../support/runner/eventually.js";
import { createScene } from "../scene.js";

const scene = createScene();
const backOff = { firstMs: 1, maxMs: 10, healthyMs: 10_000 };
after(() => scene.clear());

/** A fake process that runs until it is stopped. */
function createFake(refuse: (launches: number) => boolean = () => false) {
  let launches = 0;
  let runs = false;
  let end: ((how: string) => void) | undefined;
  return {
    get launches() {
      return launches;
    },
    get runs() {
      return runs;
    },
    die: () => end?.("signal SIGKILL"),
    async launch(): Promise<Running> {
      launches += 1;
      if (refuse(launches)) throw new Error("refused");
      runs = true;
      const exited = new Promise<string>((resolve) => (end = resolve)).finally(
        () => (runs = false),
      );
      return { pid: launches, exited, stop: async () => end?.("code 0") };
    },
  };
}

test("a process that ends by itself is started again, also after failed starts", async () => {
  const fake = createFake((launches) => launches === 2 || launches === 3);
  const kept = await keepRunning({
    name: "it",
    log: scene.log,
    launch: () => fake.launch(),
    backOff,
  });
  assert.equal(kept.pid, 1);
  fake.die();
  await eventually("the fourth one runs", () => kept.pid === 4);
  await kept.close();
  assert.equal(fake.launches, 4);
});

test("the first start rejects when it fails", async () => {
  const fake = createFake(() => true);
  await assert.rejects(
    keepRunning({ name: "it", log: scene.log, launch: () => fake.launch(), backOff }),
    { message: "refused" },
  );
});

test("closing ends the pause before another start", async () => {
  const fake = createFake();
  const kept = await keepRunning({
    name: "it",
    log: scene.log,
    launch: () => fake.launch(),
    backOff: { firstMs: 60_000, maxMs: 60_000, healthyMs: 1 },
  });
  fake.die();
  await eventually("its end is logged", () =>
    scene.lines.some((line) => line.includes("it ended by itself")),
  );
  await kept.close();
  assert.equal(fake.launches, 1);
});

test("closing during a restart waits for that start and stops the new process", async () => {
  const fake = createFake();
  const door = new EventEmitter();
  const launch = async (): Promise<Running> => {
    if (fake.launches > 0) {
      door.emit("reached");
      await once(door, "open");
    }
    return await fake.launch();
  };
  const kept = await keepRunning({ name: "it", log: scene.log, launch, backOff });
  const reached = once(door, "reached");
  fake.die();
  await reached;
  const closed = kept.close();
  door.emit("open");
  await closed;
  assert.equal(fake.launches, 2);
  assert.equal(fake.runs, false);
});

/** The messages that were logged since `start`, with their levels. */
function logSince(start: number): string[] {
  return scene.lines
    .slice(start)
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .map(({ level, msg }) => `${level} ${msg}`);
}

test("an ordinary stop is not reported as an end by itself", async () => {
  const fake = createFake();
  const start = scene.lines.length;
  const kept = await keepRunning({
    name: "it",
    log: scene.log,
    launch: () => fake.launch(),
    backOff,
  });
  await kept.close();
  assert.deepEqual(logSince(start), []);
});

test("a requested restart is immediate and logs no warning, but a later end does", async () => {
  const fake = createFake();
  const start = scene.lines.length;
  const kept = await keepRunning({
    name: "it",
    log: scene.log,
    launch: () => fake.launch(),
    backOff: { firstMs: 60_000, maxMs: 60_000, healthyMs: 60_000 },
  });
  await kept.restart("source changed");
  await eventually("the second one runs", () => kept.pid === 2);
  assert.deepEqual(logSince(start), ["30 source changed, restarting it", "30 it runs again"]);
  fake.die();
  await eventually("its end is logged", () => logSince(start).length === 3);
  assert.equal(logSince(start)[2], "40 it ended by itself; starting it again");
  // The next start is waiting, and no process runs that could be stopped.
  await kept.restart("source changed");
  await kept.close();
  assert.deepEqual([logSince(start).length, fake.launches], [3, 2]);
});

test("a failed restart is tried again with growing pauses", async () => {
  const fake = createFake((launches) => launches === 2 || launches === 3);
  const kept = await keepRunning({
    name: "it",
    log: scene.log,
    launch: () => fake.launch(),
    backOff,
  });
  await kept.restart("source changed");
  await eventually("the fourth one runs", () => kept.pid === 4);
  await kept.close();
});
