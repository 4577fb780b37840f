import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ServiceStatus } from "../../src/app/local-service/service-status.js";
import { writeServiceFile, type ServiceFile } from "../../src/app/local-service/service-file.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/processes/run-bin.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";

const NONE = {
  code: 1,
  stdout: "",
  stderr: "No service runs from this folder: start one with npm start.\n",
};

describe("npm run status", () => {
  const cwd = temporaryFolder().path;
  const dataFolder = join(cwd, ".data");
  let server: Server;
  let store: TestDatabase;
  let service: ServiceFile;
  before(async () => {
    server = createServer((_request, response) =>
      response.end('{"status":"degraded","postgresql":"ok","redis":"does not answer"}'),
    );
    store = await createTestDatabase();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    service = {
      pid: 4711,
      version: "1.2.3",
      url,
      graphql: `${url}/graphql`,
      subscriptions: "ws://x",
      console: `${url}/#token=t`,
      explorer: null,
      queues: `${url}/admin/queues`,
      health: `${url}/health/ready`,
      workerHealth: "http://127.0.0.1:9/health/ready",
      token: "t",
      dataFolder,
      databaseUrl: store.url,
      redisUrl: "redis://:secret@b",
      startedAt: "2026-11-24T12:00:00.000Z",
    };
  });
  after(async () => {
    server.close();
    await store.close();
  });

  it("says that no service runs, and exits 1", async () => {
    assert.deepEqual(await runBin("status", { cwd }), NONE);
    mkdirSync(dataFolder);
    writeFileSync(join(dataFolder, "service.json"), "{");
    assert.deepEqual(await runBin("status", { cwd }), NONE);
  });

  it("prints the running service, as text and as JSON, without the stores' URLs", async () => {
    await writeServiceFile(dataFolder, service);
    const passwordFile = join(dataFolder, "admin-password");
    writeFileSync(passwordFile, "secret password");
    const { databaseUrl: _, redisUrl: __, ...shown } = service;
    const [lines, json] = await Promise.all([
      runBin("status", { cwd }),
      runBin("status", { cwd, args: ["--json"] }),
    ]);
    const { status, ...printed } = JSON.parse(json.stdout) as { status: ServiceStatus };
    assert.deepEqual([json.code, printed], [0, { ...shown, adminPasswordFile: passwordFile }]);
    const { disk, ...rest } = status;
    assert.deepEqual(rest, {
      api: { status: "degraded", postgresql: "ok", redis: "does not answer" },
      worker: null,
      queue: { pending: 0, started: 0, oldestWaitSeconds: 0 },
    });
    assert.ok(disk.freeBytes > 0 && disk.totalBytes > disk.freeBytes);
    const gigabytes = /^[\d.]+ GB of [\d.]+ GB free$/;
    const expected = [
      ...Object.entries(shown),
      ["operators", `user admin, password in ${passwordFile}`],
      ["API", "degraded (postgresql ok, redis does not answer)"],
      ["worker", "does not answer"],
      ["queue", "0 waiting, 0 running"],
    ].map(([name = "", value]) => `${name.padEnd(14)} ${value}`);
    const text = lines.stdout.trimEnd().split("\n");
    assert.deepEqual([lines.code, text.slice(0, -1)], [0, expected]);
    assert.match(text.at(-1)?.slice(15) ?? "", gigabytes);
    assert.doesNotMatch(lines.stdout + json.stdout, /secret/);
  });

  it("ignores the file of a service that has ended", async () => {
    await writeServiceFile(dataFolder, { ...service, health: "http://127.0.0.1:9/health/ready" });
    assert.deepEqual(await runBin("status", { cwd }), NONE);
  });
});
