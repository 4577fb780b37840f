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

/** A script that says when it runs, and writes its name when it is told to end. */
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

function heard() {
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

test("a child that is killed is started again, with the environment it was given and no other", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff }));
  const { messages, onMessage } = heard();
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

test("close() stops all, the last started first, and starts nothing any more", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff }));
  const { messages, onMessage } = heard();
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

test("one that ignores SIGTERM is killed after the deadline, with all that it started", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff, stopDeadlineMs: 100 }));
  const { messages, onMessage } = heard();
  await supervisor.start("worker", stubborn, { env: { PATH: "/usr/bin:/bin" }, onMessage });
  const { runs, grandchild } = await eventually("it has told", () => messages[0]);
  await supervisor.close();
  assert.equal(isAlive(runs), false);
  await eventually("the grandchild is gone", () => !isAlive(grandchild!));
});

test("hurry() kills what is still being waited for, with all that it started", async () => {
  const supervisor = scene.use(
    createSupervisor({ log: scene.log, backOff, stopDeadlineMs: 30_000 }),
  );
  const { messages, onMessage } = heard();
  await supervisor.start("worker", stubborn, { env: { PATH: "/usr/bin:/bin" }, onMessage });
  const { runs, grandchild } = await eventually("it has told", () => messages[0]);
  let closed = false;
  void supervisor.close().then(() => (closed = true));
  supervisor.hurry();
  await eventually("it is closed", () => closed, 10_000);
  assert.equal(isAlive(runs), false);
  await eventually("the grandchild is gone", () => !isAlive(grandchild!));
});

test(
  "one that always ends at once is tried again more and more slowly, and in the end asks " +
    "for a person",
  async () => {
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
  },
);

test("a Ctrl-C reaches no child, and a child notices that the supervisor was killed", async () => {
  const ready = join(scene.folder, "ready");
  const { child, told } = await scene.launch<{ pid: number }>(`
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
  assert.equal(isAlive(told.pid), true);
  await killHard(child.pid!);
  await eventually("it is gone", () => !isAlive(told.pid));
});
