// Fast reload: `npm run dev` in a copy of the sources, of which one is changed.
import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { it } from "node:test";
import { readServiceFile } from "../../src/bin/service-file.js";
import { eventually } from "../support/eventually.js";
import { long } from "../support/long.js";
import { isAlive, processTree } from "../support/process-tree.js";

const HEALTH = "src/server/health.ts";

it("npm run dev serves what a source says a moment after it was changed, and ends with all that it started", { ...long, timeout: 240_000 }, async (t) => {
  const copy = mkdtempSync(join(tmpdir(), "photo-service-dev-"));
  // PostgreSQL may run as another user than we do.
  chmodSync(copy, 0o755);
  for (const part of ["src", "dist/src", "dist/examples", "dist/console", "drizzle", "examples/resumable.ts", "package.json", "tsconfig.json"]) cpSync(part, join(copy, part), { recursive: true });
  symlinkSync(resolve("node_modules"), join(copy, "node_modules"));
  const dev = spawn(process.execPath, [join(copy, "dist/src/bin/dev.js")], { cwd: copy, stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: copy, PORT: "0", WORKER_PORT: "0" } });
  const all = () => processTree(dev.pid ?? 0);
  t.after(() => {
    for (const pid of all()) process.kill(pid, "SIGKILL");
    rmSync(copy, { recursive: true, force: true });
  });
  let told = "";
  for (const stream of [dev.stdout, dev.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (told += text));

  const service = await eventually("the service runs", () => readServiceFile(join(copy, ".data")), 90_000);
  const health = async () => (await (await fetch(`${service.url}/health/live`)).json()) as { status: string };
  assert.equal((await health()).status, "ok");
  await eventually(`the page follows its sources\n${told}`, () => /^ {2}Page +http/m.test(told), 30_000);

  // What is changed while it compiles for the first time, the compiler does not see.
  await eventually(`the compiler watches\n${told}`, () => /Watching for file changes/.test(told), 90_000);

  const source = readFileSync(join(copy, HEALTH), "utf8");
  writeFileSync(join(copy, HEALTH), source.replace('({ status: "ok" })', '({ status: "changed" })'));
  await eventually(`the change is served\n${told}`, async () => (await health()).status === "changed", 90_000);

  const begun = all();
  assert.ok(begun.length > 4, "PostgreSQL, Redis, API and worker are among them");
  dev.kill("SIGTERM");
  assert.deepEqual(await once(dev, "exit"), [0, null]);
  await eventually("nothing is left of it", () => !begun.some(isAlive), 20_000);
});
