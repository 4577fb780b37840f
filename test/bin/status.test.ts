import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { writeServiceFile, type ServiceFile } from "../../src/app/local-service/service-file.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/processes/run-bin.js";

const NONE = {
  code: 1,
  stdout: "",
  stderr: "No service runs from this folder: start one with npm start.\n",
};

describe("npm run status", () => {
  const cwd = temporaryFolder().path;
  const dataFolder = join(cwd, ".data");
  let server: Server;
  let service: ServiceFile;
  before(async () => {
    server = createServer((_request, response) => response.end("{}"));
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
      token: "t",
      dataFolder,
      databaseUrl: "postgres://a:secret@b/c",
      redisUrl: "redis://:secret@b",
      startedAt: "2026-11-24T12:00:00.000Z",
    };
  });
  after(() => server.close());

  it("says that no service runs, and exits 1", async () => {
    assert.deepEqual(await runBin("status", { cwd }), NONE);
    mkdirSync(dataFolder);
    writeFileSync(join(dataFolder, "service.json"), "{");
    assert.deepEqual(await runBin("status", { cwd }), NONE);
  });

  it("prints the running service, as text and as JSON, without the stores' URLs", async () => {
    await writeServiceFile(dataFolder, service);
    const { databaseUrl: _, redisUrl: __, ...shown } = service;
    const [lines, json] = await Promise.all([
      runBin("status", { cwd }),
      runBin("status", { cwd, args: ["--json"] }),
    ]);
    assert.deepEqual([json.code, JSON.parse(json.stdout)], [0, shown]);
    assert.deepEqual(
      [lines.code, lines.stdout],
      [
        0,
        Object.entries(shown)
          .map(([name, value]) => `${name.padEnd(14)} ${value}\n`)
          .join(""),
      ],
    );
    assert.doesNotMatch(lines.stdout + json.stdout, /secret/);
  });

  it("ignores the file of a service that has ended", async () => {
    await writeServiceFile(dataFolder, { ...service, health: "http://127.0.0.1:9/health/ready" });
    assert.deepEqual(await runBin("status", { cwd }), NONE);
  });
});
