import assert from "node:assert/strict";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { launchServer, type ServerPlan } from "../../../src/embedded/processes/launch-server.js";
import { processesIn } from "../../../src/embedded/processes/processes-in.js";
import { createScene, isAlive } from "../scene.js";

const scene = createScene();
const folder = join(scene.folder, "data");
const logFile = join(scene.folder, "server.log");
mkdirSync(folder);
after(() => scene.clear());

function plan(script: string, more: Partial<ServerPlan> = {}): ServerPlan {
  return {
    attempt: { program: "Redis", variable: "REDIS_URL", folder: scene.folder },
    command: "/bin/sh",
    args: ["-c", script],
    folder,
    user: undefined,
    logFile,
    steps: [
      { signal: "SIGTERM", waitMs: 100 },
      { signal: "SIGKILL", waitMs: 5_000 },
    ],
    isReady: () => true,
    signal: new AbortController().signal,
    ...more,
  };
}

test(
  "one that becomes ready runs until it is stopped, by the harder step when the softer one " +
    "fails",
  async () => {
    const running = await launchServer(
      plan("trap '' TERM; echo trapped; exec sleep 60", {
        isReady: () => readFileSync(logFile, "utf8").includes("trapped"),
      }),
    );
    assert.equal(isAlive(running.pid), true);
    await running.stop();
    assert.equal(await running.exited, "signal SIGKILL");
  },
);

test(
  "one that ends before it is ready throws what it said this time, not what is older in " +
    "its log",
  async () => {
    writeFileSync(logFile, "No space left on device\n");
    await assert.rejects(
      launchServer(plan("echo 'FATAL: no luck'; exit 3", { isReady: () => false })),
      {
        name: "EmbeddedError",
        message: `Redis does not start (FATAL: no luck): look into ${logFile}, or set REDIS_URL.`,
        output: "FATAL: no luck\n\nended with code 3",
      },
    );
  },
);

test("one that cannot be run at all throws a sentence", async () => {
  await assert.rejects(launchServer(plan("", { command: "/etc/passwd" })), {
    name: "EmbeddedError",
    message: /^Redis may not use /,
  });
});

test("one that is not wanted any more before it is ready is stopped", async () => {
  const closing = new AbortController();
  const isReady = () => {
    closing.abort(new Error("closing"));
    return false;
  };
  await assert.rejects(launchServer(plan("exec sleep 60", { isReady, signal: closing.signal })), {
    message: "closing",
  });
  assert.deepEqual(processesIn(folder, ["sleep"]), []);
});

test("a log that has grown long is put aside", async () => {
  truncateSync(logFile, 11 * 1024 * 1024);
  const running = await launchServer(plan("exec sleep 60"));
  await running.stop();
  assert.equal(readFileSync(`${logFile}.1`).length, 11 * 1024 * 1024);
  assert.equal(readFileSync(logFile, "utf8"), "");
});
