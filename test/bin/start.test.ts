// `npm start` with all its processes and private stores, in a temporary folder.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ServiceStatus } from "../../src/app/local-service/service-status.js";
import { readServiceFile, type ServiceFile } from "../../src/app/local-service/service-file.js";
import { freePort } from "../../src/embedded/ports.js";
import { eventually } from "../support/runner/eventually.js";
import { long } from "../support/runner/long.js";
import { isAlive, processTree } from "../support/processes/process-tree.js";
import { runBin, startBin, type RunningBin } from "../support/processes/run-bin.js";
import { createTestClient } from "../support/clients/test-client.js";

const FREE_PORTS = { PORT: "0", WORKER_PORT: "0", HOST: "127.0.0.1" };
const noProc = existsSync("/proc/self/stat")
  ? false
  : "this system has no /proc, so this test proves nothing";

describe("npm start", { skip: noProc }, () => {
  let cwd: string;
  let running: RunningBin | null = null;
  let service: ServiceFile;
  let jobId: string;

  before(() => {
    cwd = mkdtempSync(join(tmpdir(), "photo-service-start-"));
    // PostgreSQL may run as another user.
    chmodSync(cwd, 0o755);
  });
  after(async () => {
    if (running) await killAll(running);
    rmSync(cwd, { recursive: true, force: true });
  });

  async function start(): Promise<RunningBin> {
    const bin = startBin("start", { cwd, env: FREE_PORTS });
    running = bin;
    service = await eventually(
      "the service is ready",
      async () => {
        assert.equal(bin.child.exitCode, null, bin.stderr);
        const current = await readServiceFile(join(cwd, ".data"));
        return (
          current !== null &&
          current.pid === bin.child.pid &&
          bin.stdout.includes(current.console) &&
          current
        );
      },
      60_000,
    );
    return bin;
  }

  async function killAll({ child, ended }: RunningBin): Promise<void> {
    for (const pid of processTree(child.pid ?? 0)) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    await ended;
  }

  const you = () => createTestClient(service.url, service.token ?? "");

  it("starts everything, and writes addresses and a valid token to a private file", async () => {
    const bin = await start();
    assert.equal(statSync(join(cwd, ".data/service.json")).mode & 0o777, 0o600);
    assert.match(bin.stdout, /^\s*Sign in +http:\/\/127\.0\.0\.1:\d+\/#token=eyJ/m);
    assert.equal(service.console, `${service.url}/#token=${service.token}`);
    const [, password = ""] =
      /^\s*Queues +\S+\/admin\/queues +\(user admin, password (\S{20,})\)$/m.exec(bin.stdout) ?? [];
    assert.equal(
      (
        await fetch(service.queues ?? "", {
          headers: {
            authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`,
          },
        })
      ).status,
      200,
    );
    assert.equal((await fetch(service.queues ?? "")).status, 401);
    assert.equal(statSync(join(cwd, ".data/admin-password")).mode & 0o777, 0o600);
    assert.equal((await you().get("{ me { email } }")).me.email, "you@example.com");
    jobId = (await you().enqueue("echo", { message: "kept" })).id;
    assert.equal((await you().finished(jobId)).status, "SUCCESS");
  });

  it("is found by the other commands of the folder: token, status and demo", async () => {
    const [status, token, demo] = await Promise.all([
      runBin("status", { cwd, args: ["--json"] }),
      runBin("token", { cwd, args: ["--email", "adm@example.test", "--admin"] }),
      runBin("demo", { cwd }),
    ]);
    const { databaseUrl: _, redisUrl: __, ...shown } = service;
    const { status: state, ...printed } = JSON.parse(status.stdout) as { status: ServiceStatus };
    const adminPasswordFile = join(service.dataFolder, "admin-password");
    assert.deepEqual(printed, { ...shown, adminPasswordFile });
    assert.deepEqual([state.api?.["status"], state.worker?.["status"]], ["ok", "ok"]);
    assert.deepEqual(
      (await createTestClient(service.url, token.stdout.trim()).get("{ me { email role } }")).me,
      { email: "adm@example.test", role: "ADMIN" },
    );
    assert.equal(demo.code, 0, demo.stderr);
    for (const job of ["thumbnail", "metadata", "placeholder"])
      assert.match(demo.stdout, new RegExp(`^  ${job} +SUCCEEDED +100 %`, "m"));
    const paths = demo.stdout
      .slice(demo.stdout.indexOf("The results:"))
      .split("\n")
      .slice(1)
      .filter(Boolean)
      .map((line) => line.trim());
    assert.ok(paths.length >= 5, demo.stdout);
    for (const path of paths)
      assert.ok(path.startsWith(join(cwd, "demo-output")) && readFileSync(path).length > 0, path);
  });

  it("starts again with its data after a kill -9 of all processes", async () => {
    if (running) await killAll(running);
    await start();
    assert.deepEqual((await you().job(jobId))?.result, { message: "kept", attempt: 1 });
    assert.equal((await you().finished((await you().enqueue("echo")).id)).status, "SUCCESS");
  });

  it("stops within 15 s of Ctrl-C, leaves no process behind, and keeps the data", async () => {
    assert.ok(running);
    const bin = running;
    const { child, ended } = bin;
    const pids = processTree(child.pid ?? 0);
    assert.ok(pids.length > 4, `only ${pids.length} processes`);
    const begun = Date.now();
    // A terminal signals the whole process group.
    process.kill(-(child.pid ?? 0), "SIGINT");
    assert.equal(await ended, 0);
    assert.ok(bin.stdout.endsWith(`Stopped. The data is kept in ${service.dataFolder}.\n`));
    running = null;
    await eventually(
      "no process is left",
      () => pids.every((pid) => !isAlive(pid)),
      15_000 - (Date.now() - begun),
    );
    assert.equal(existsSync(join(cwd, ".data/service.json")), false);
    assert.equal(existsSync(join(cwd, ".data/postgres")), true);
  });

  it("says in one sentence that its port is in use, and exits 1", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await runBin("start", { cwd, env: { ...FREE_PORTS, PORT: String(port) } });
    await new Promise((resolve) => server.close(resolve));
    assert.deepEqual(outcome, {
      code: 1,
      stdout: "",
      stderr:
        `Another program uses port ${port}: stop it, or choose another port with ` +
        `PORT=${port + 10}.\n`,
    });
  });

  for (const HOST of ["127.0.0.1", "localhost"]) {
    const length = HOST === "localhost" ? long : {};
    it(`rejects one port for API and worker with host ${HOST}, and exits 1`, length, async () => {
      const outcome = await runBin("start", {
        cwd,
        env: { HOST, PORT: "4611", WORKER_PORT: "04611" },
      });
      const sentence =
        "PORT and WORKER_PORT are both 4611: the API and the worker need different ports, so " +
        "change one of them";
      assert.deepEqual(outcome, {
        code: 1,
        stdout: "",
        stderr: `The configuration has a fault:\n  - ${sentence}\n`,
      });
    });
  }

  it("is not ready while another program answers in the API's place", async () => {
    const port = await freePort();
    const bin = startBin("start", { cwd, env: { ...FREE_PORTS, PORT: String(port) } });
    running = bin;
    // The port is free when `npm start` checks it, and in use before the API listens.
    const password = join(cwd, ".data/admin-password");
    rmSync(password, { force: true });
    await eventually("it has checked its port", () => existsSync(password));
    const other = createHttpServer((_request, response) => response.end());
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    const sentence =
      `Another program uses port ${port}: stop it, or choose another port with ` +
      `PORT=${port + 10}.\n`;
    await eventually(
      "the API says why it does not listen",
      () => bin.stderr.split(sentence).length > 2,
      60_000,
    );
    assert.doesNotMatch(bin.stdout, /is ready|"level":60/);
    assert.equal(existsSync(join(cwd, ".data/service.json")), false);
    process.kill(bin.child.pid ?? 0, "SIGTERM");
    assert.equal(await bin.ended, 0);
    running = null;
    await new Promise((resolve) => other.close(resolve));
  });

  it("starts no private stores in production by default", async () => {
    const keys = {
      JWT_JWKS_URL: "https://keys.example.test/",
      JWT_ISSUER: "i",
      JWT_AUDIENCE: "a",
      FILE_SIGNING_KEY: "0123456789abcdef0123456789abcdef",
    };
    const outcome = await runBin("start", {
      cwd,
      env: { ...FREE_PORTS, NODE_ENV: "production", ...keys },
    });
    assert.deepEqual(outcome, {
      code: 1,
      stdout: "",
      stderr:
        "The configuration has a fault:\n  - NODE_ENV is production, where no private " +
        "PostgreSQL and Redis are started by default: set DATABASE_URL and REDIS_URL, or " +
        "EMBEDDED=true\n",
    });
  });
});
