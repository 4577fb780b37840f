import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { STORES_FOLLOW } from "../../../src/app/local-service/start-stores.js";
import { createSupervisor } from "../../../src/embedded/processes/supervise.js";
import { createScene, isAlive, killHard, moduleUrl } from "../../embedded/scene.js";
import { eventually } from "../../support/runner/eventually.js";

const scene = createScene();
after(() => scene.clear());

const script = join(scene.folder, "waits.mjs");
writeFileSync(
  script,
  `
  import { waitForStores } from ${JSON.stringify(moduleUrl("app/local-service/start-stores"))};
  process.send("loaded");
  await waitForStores();
  process.on("disconnect", () => process.exit(0));
  process.send({ urls: [process.env.DATABASE_URL, process.env.REDIS_URL] });
`,
);
const STORE_URLS = { databaseUrl: "postgres://here", redisUrl: "redis://there" };

test("a process loads while the stores start, and always gets their URLs", async () => {
  const supervisor = scene.use(
    createSupervisor({
      log: scene.log,
      backOff: { firstMs: 20, maxMs: 100, healthyMs: 10_000 },
    }),
  );
  const messages: unknown[] = [];
  let sendUrls: (stores: object) => void = () => {};
  const firstMessage = new Promise<object>((resolve) => (sendUrls = resolve));
  const child = await supervisor.start("api", script, {
    env: { DATABASE_URL: "postgres://configured" },
    args: [`--${STORES_FOLLOW}`],
    messages: [firstMessage],
    onMessage: (message) => void messages.push(message),
  });
  await eventually("it is loaded", () => messages.length === 1);
  sendUrls(STORE_URLS);
  await eventually("it has the URLs", () => messages.length === 2);
  await killHard(child.pid);
  await eventually("it has the URLs again", () => messages.length === 4);
  const urlMessage = { urls: [STORE_URLS.databaseUrl, STORE_URLS.redisUrl] };
  assert.deepEqual(messages, ["loaded", urlMessage, "loaded", urlMessage]);
});

test("a process waits until all listen, and goes on at once when it is started again", async () => {
  const listener = join(scene.folder, "listens.mjs");
  writeFileSync(
    listener,
    `
    import { announceListening, waitForStores } from
      ${JSON.stringify(moduleUrl("app/local-service/start-stores"))};
    await waitForStores();
    process.on("disconnect", () => process.exit(0));
    await announceListening(new AbortController().signal);
    process.send("all listen");
  `,
  );
  const backOff = { firstMs: 20, maxMs: 100, healthyMs: 10_000 };
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff }));
  const messages: unknown[] = [];
  let announceReady: (message: object) => void = () => {};
  const ready = new Promise<object>((resolve) => (announceReady = resolve));
  const child = await supervisor.start("api", listener, {
    env: {},
    args: [`--${STORES_FOLLOW}`],
    messages: [Promise.resolve(STORE_URLS), ready],
    onMessage: (message) => void messages.push(message),
  });
  await eventually("it listens", () => messages.length === 1);
  announceReady({});
  await eventually("it goes on", () => messages.length === 2);
  await killHard(child.pid);
  await eventually("it goes on again", () => messages.length === 4);
  assert.deepEqual(messages, ["listens", "all listen", "listens", "all listen"]);
});

test("a process without the option uses its own environment", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log }));
  const messages: unknown[] = [];
  await supervisor.start("api", script, {
    env: { DATABASE_URL: "postgres://configured", REDIS_URL: "redis://configured" },
    onMessage: (message) => void messages.push(message),
  });
  await eventually("it goes on", () => messages.length === 2);
  assert.deepEqual(messages[1], { urls: ["postgres://configured", "redis://configured"] });
});

test("a waiting process ends when its supervisor dies", async () => {
  const { child, firstLine } = await scene.launch<{ pid: number }>(`
    import { spawn } from "node:child_process";
    const waits = spawn(
      process.execPath,
      [${JSON.stringify(script)}, "--${STORES_FOLLOW}"],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
    waits.once("message", () => console.log(JSON.stringify({ pid: waits.pid })));
  `);
  await killHard(child.pid!);
  await eventually("it is gone", () => !isAlive(firstLine.pid));
});
