import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createSupervisor } from "../../../src/embedded/processes/supervise.js";
import { eventually } from "../../support/runner/eventually.js";
import { createScene, isAlive, killHard, moduleUrl } from "../scene.js";

const scene = createScene();
const backOff = { firstMs: 20, maxMs: 100, healthyMs: 10_000 };
const ends = join(scene.folder, "ends");
after(() => scene.clear());

/** A script that reports when it runs, and writes its name when it is stopped. */
const polite = script(
  "polite.mjs",
  `
  import { appendFileSync } from "node:fs";
  process.on("SIGTERM", () => {
    appendFileSync(${JSON.stringify(ends)}, process.argv[2] + " ");
    process.exit(0);
  });
  process.on("disconnect", () => process.exit(0));
  const { ONLY = null, HOME = null } = process.env;
  process.send({ runs: process.pid, env: ONLY, home: HOME });
`,
);

const stubborn = script(
  "stubborn.mjs",
  `
  import { spawn } from "node:child_process";
  process.on("SIGTERM", () => {});
  const grandchild = spawn("sleep", ["60"], { stdio: "ignore" });
  process.send({ runs: process.pid, grandchild: grandchild.pid });
`,
);

function script(name: string, code: string): string {
  const file = join(scene.folder, name);
  writeFileSync(file, code);
  return file;
}

function messageList() {
  const messages: {
    runs: number;
    grandchild?: number;
    env?: string | null;
    home?: string | null;
  }[] = [];
  return {
    messages,
    onMessage: (message: unknown) => void messages.push(message as { runs: number }),
  };
}

test("a killed child is started again with exactly the given environment", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff }));
  const { messages, onMessage } = messageList();
  const child = await supervisor.start("api", polite, {
    env: { ONLY: "this" },
    args: ["api"],
    onMessage,
  });
  await eventually("it runs", () => messages.length === 1);
  assert.deepEqual(messages[0], { runs: child.pid, env: "this", home: null });
  await killHard(child.pid);
  await eventually("it runs again", () => messages.length === 2);
  assert.equal(messages[1]!.runs, child.pid);
  assert.notEqual(messages[0]!.runs, child.pid);
  await supervisor.close();
  assert.equal(isAlive(child.pid), false);
});

test("close() stops all children, the last started first, and allows no new start", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff }));
  const { messages, onMessage } = messageList();
  for (const name of ["first", "second", "third"])
    await supervisor.start(name, polite, { env: {}, args: [name], onMessage });
  await eventually("it runs a third time", () => messages.length === 3);
  writeFileSync(ends, "");
  await supervisor.close();
  assert.equal(readFileSync(ends, "utf8"), "third second first ");
  assert.deepEqual(
    messages.filter(({ runs }) => isAlive(runs)),
    [],
  );
  await assert.rejects(supervisor.start("late", polite, { env: {} }), /late cannot be started/);
});

test("a child that ignores SIGTERM is killed in time, with its own children", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff, stopDeadlineMs: 100 }));
  const { messages, onMessage } = messageList();
  await supervisor.start("worker", stubborn, { env: { PATH: "/usr/bin:/bin" }, onMessage });
  const { runs, grandchild } = await eventually("it has reported", () => messages[0]);
  await supervisor.close();
  assert.equal(isAlive(runs), false);
  await eventually("the grandchild is gone", () => !isAlive(grandchild!));
});

test("hurry() kills the children that are still stopping, with their own children", async () => {
  const supervisor = scene.use(
    createSupervisor({ log: scene.log, backOff, stopDeadlineMs: 30_000 }),
  );
  const { messages, onMessage } = messageList();
  await supervisor.start("worker", stubborn, { env: { PATH: "/usr/bin:/bin" }, onMessage });
  const { runs, grandchild } = await eventually("it has reported", () => messages[0]);
  let closed = false;
  void supervisor.close().then(() => (closed = true));
  supervisor.hurry();
  await eventually("it is closed", () => closed, 10_000);
  assert.equal(isAlive(runs), false);
  await eventually("the grandchild is gone", () => !isAlive(grandchild!));
});

test("a child that always ends is restarted ever more slowly, and then logs an error", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff }));
  await supervisor.start("broken", script("broken.mjs", "process.exit(3)"), { env: {} });
  await eventually("its end is logged", () =>
    scene.lines.some(
      (line) =>
        line.includes('"level":50') &&
        line.includes("broken ended by itself") &&
        line.includes('"how":"code 3"'),
    ),
  );
  await supervisor.close();
});

test("a Ctrl-C reaches no child, and a child notices that the supervisor was killed", async () => {
  const ready = join(scene.folder, "ready");
  const { child, firstLine } = await scene.launch<{ pid: number }>(`
    import { writeFileSync } from "node:fs";
    import { createSupervisor } from ${JSON.stringify(moduleUrl("embedded/processes/supervise"))};
    import { createLoggerTo } from ${JSON.stringify(moduleUrl("runtime/logger"))};
    process.on("SIGINT", () => writeFileSync(${JSON.stringify(ready)}, ""));
    const supervisor = createSupervisor({ log: createLoggerTo({ write() {} }) });
    const onMessage = () => console.log(JSON.stringify({ pid: started.pid }));
    const options = { env: {}, args: ["api"], onMessage };
    const started = await supervisor.start("api", ${JSON.stringify(polite)}, options);
  `);
  process.kill(-child.pid!, "SIGINT");
  await eventually("it is ready", () => existsSync(ready));
  assert.equal(isAlive(firstLine.pid), true);
  await killHard(child.pid!);
  await eventually("it is gone", () => !isAlive(firstLine.pid));
});
