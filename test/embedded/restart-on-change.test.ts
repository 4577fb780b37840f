import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { restartOnChange } from "../../src/embedded/restart-on-change.js";
import { createSupervisor } from "../../src/embedded/supervise.js";
import { eventually } from "../support/eventually.js";
import { createScene } from "./scene.js";

const scene = createScene();
const watched = join(scene.folder, "dist");
after(() => scene.clear());

test("a change anywhere below the folder starts the processes anew, once for all that is written together, and none after it is closed", async () => {
  mkdirSync(join(watched, "deep/er"), { recursive: true });
  const script = join(scene.folder, "waits.mjs");
  writeFileSync(script, "process.on('SIGTERM', () => process.exit(0)); process.on('disconnect', () => process.exit(0)); process.send('runs'); setInterval(() => {}, 60_000);");
  const supervisor = scene.use(createSupervisor({ log: scene.log, backOff: { firstMs: 20, mostMs: 100, healthyMs: 0 } }));
  let starts = 0;
  const child = await supervisor.start("api", script, { env: {}, onMessage: () => starts++ });
  await eventually("it runs", () => starts === 1);
  const first = child.pid;

  const watching = restartOnChange(watched, [child], { except: "console/" });
  for (let i = 0; i < 20; i++) writeFileSync(join(watched, `deep/er/${i}.js`), String(i));
  await eventually("it runs anew", () => starts === 2);
  assert.notEqual(child.pid, first);
  writeFileSync(join(watched, "deep/er/0.js"), "again");
  await eventually("it runs anew for the next change", () => starts === 3);

  writeFileSync(join(watched, "deep/er/0.js"), "too late");
  watching.close();
  // What would still come of the last change comes before a second restart by hand has.
  process.kill(child.pid, "SIGTERM");
  await eventually("it runs again", () => starts === 4);
  await supervisor.close();
  assert.equal(starts, 4);
});
