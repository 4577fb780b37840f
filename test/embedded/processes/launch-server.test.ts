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

test("a server runs until it is stopped, with SIGKILL when SIGTERM has no effect", async () => {
  const running = await launchServer(
    plan("trap '' TERM; echo trapped; exec sleep 60", {
      isReady: () => readFileSync(logFile, "utf8").includes("trapped"),
    }),
  );
  assert.equal(isAlive(running.pid), true);
  await running.stop();
  assert.equal(await running.exited, "signal SIGKILL");
});

test("a server that ends before it is ready rejects with only its new output", async () => {
  writeFileSync(logFile, "No space left on device\n");
  await assert.rejects(
    launchServer(plan("echo 'FATAL: no luck'; exit 3", { isReady: () => false })),
    {
      name: "EmbeddedError",
      message: `Redis does not start (FATAL: no luck): see ${logFile}, or set REDIS_URL.`,
      output: "FATAL: no luck\n\nended with code 3",
    },
  );
});

test("a program that cannot run rejects with one sentence", async () => {
  await assert.rejects(launchServer(plan("", { command: "/etc/passwd" })), {
    name: "EmbeddedError",
    message: /^Redis may not use /,
  });
});

test("a server is stopped when the start is aborted before it is ready", async () => {
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

test("a log that has grown too long is renamed", async () => {
  truncateSync(logFile, 11 * 1024 * 1024);
  const running = await launchServer(plan("exec sleep 60"));
  await running.stop();
  assert.equal(readFileSync(`${logFile}.1`).length, 11 * 1024 * 1024);
  assert.equal(readFileSync(logFile, "utf8"), "");
});
