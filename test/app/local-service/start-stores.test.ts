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
  process.send({ told: [process.env.DATABASE_URL, process.env.REDIS_URL] });
`,
);
const TOLD = { databaseUrl: "postgres://here", redisUrl: "redis://there" };

test(
  "a process is loaded while the databases come up, and knows where they are once they are " +
    "there, after a restart too",
  async () => {
    const supervisor = scene.use(
      createSupervisor({
        log: scene.log,
        backOff: { firstMs: 20, maxMs: 100, healthyMs: 10_000 },
      }),
    );
    const heard: unknown[] = [];
    let come: (stores: object) => void = () => {};
    const firstMessage = new Promise<object>((resolve) => (come = resolve));
    const child = await supervisor.start("api", script, {
      env: { DATABASE_URL: "postgres://as-it-came" },
      args: [`--${STORES_FOLLOW}`],
      firstMessage,
      onMessage: (message) => void heard.push(message),
    });
    await eventually("it is loaded", () => heard.length === 1);
    come(TOLD);
    await eventually("it knows", () => heard.length === 2);
    await killHard(child.pid);
    await eventually("it knows again", () => heard.length === 4);
    const told = { told: [TOLD.databaseUrl, TOLD.redisUrl] };
    assert.deepEqual(heard, ["loaded", told, "loaded", told]);
  },
);

test("one that nobody asks to wait takes its environment as it is", async () => {
  const supervisor = scene.use(createSupervisor({ log: scene.log }));
  const heard: unknown[] = [];
  await supervisor.start("api", script, {
    env: { DATABASE_URL: "postgres://as-it-came", REDIS_URL: "redis://as-it-came" },
    onMessage: (message) => void heard.push(message),
  });
  await eventually("it goes on", () => heard.length === 2);
  assert.deepEqual(heard[1], { told: ["postgres://as-it-came", "redis://as-it-came"] });
});

test("one whose supervisor dies while it waits ends, too", async () => {
  const { child, told } = await scene.launch<{ pid: number }>(`
    import { spawn } from "node:child_process";
    const waits = spawn(
      process.execPath,
      [${JSON.stringify(script)}, "--${STORES_FOLLOW}"],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
    waits.once("message", () => console.log(JSON.stringify({ pid: waits.pid })));
  `);
  await killHard(child.pid!);
  await eventually("it is gone", () => !isAlive(told.pid));
});
