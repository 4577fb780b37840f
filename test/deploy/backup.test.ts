// Runs the backup and restore commands of deploy/README.md unchanged. The service is under load
// during the backup, and must be complete afterwards with an empty Redis.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import postgres from "postgres";
import type { EmbeddedServer } from "../../src/embedded/open-server-folder.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { eventually } from "../support/runner/eventually.js";
import { long } from "../support/runner/long.js";
import { ADMIN_PASSWORD } from "../support/clients/operator-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";
import { runBin } from "../support/processes/run-bin.js";
import { silentLog } from "../support/runner/silent-log.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { expireLeases } from "../support/stores/expire-leases.js";
import { createTestClient, type TestClient } from "../support/clients/test-client.js";
import { NO_POSTGRES_TOOLS, POSTGRES_TOOLS, startTooledPostgres } from "./tooled-postgres.js";

const PERSON = { sub: "ann", email: "ann@example.test" };
const LONG = { durationMs: 600_000 };
const ALL =
  "{ photos { nodes { id filename url } } queuedJobs(first: 50) { nodes { id version " +
  "status attempts result outputs { name url } } } }";
interface Everything {
  photos: { nodes: { id: string; filename: string; url: string }[] };
  queuedJobs: {
    nodes: {
      id: string;
      version: number;
      status: string;
      attempts: number;
      result: unknown;
      outputs: { name: string; url: string }[];
    }[];
  };
}

/** The line of deploy/README.md that calls this script, without its comment. */
function commandOf(script: string): string {
  const section = readFileSync("deploy/README.md", "utf8").split("## Backup and restore")[1] ?? "";
  const line = section
    .split("\n")
    .find((text) => text.includes(`deploy/${script}`) && text.includes("photos.dump"));
  return (line ?? "").replace(/ +#.*$/, "");
}

describe("a backup", { skip: NO_POSTGRES_TOOLS || long.skip }, () => {
  const folder = temporaryFolder().path;
  let server: EmbeddedServer;
  before(async () => {
    // PostgreSQL may run as another user than this process.
    chmodSync(folder, 0o711);
    server = await startTooledPostgres({ dataDir: join(folder, "postgres"), log: silentLog });
    // The commands run in a folder with only the deployed files.
    mkdirSync(join(folder, "app"));
    for (const part of ["deploy", "dist", "drizzle", "node_modules", "package.json", "scripts"])
      symlinkSync(resolve(part), join(folder, "app", part));
  });
  after(() => server?.close());

  async function createDatabase(name: string): Promise<string> {
    const sql = postgres(server.url, { max: 1 });
    await sql.unsafe(`create database ${name}`);
    await sql.end();
    return Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  }
  const run = (command: string, env: Record<string, string>) =>
    promisify(execFile)("sh", ["-euc", command], {
      cwd: join(folder, "app"),
      env: { PATH: `${POSTGRES_TOOLS}${delimiter}${process.env["PATH"]}`, HOME: folder, ...env },
    });
  const start = (url: string, bytes: string, env: Record<string, string> = {}) =>
    startTestService({
      env: {
        DATABASE_URL: url,
        STORAGE_URL: `file:${join(folder, bytes)}`,
        ADMIN_PASSWORD,
        ...env,
      },
    });
  const read = (client: TestClient) => client.get(ALL) as Promise<Everything>;
  async function bytesOf(
    service: TestService,
    { photos, queuedJobs }: Everything,
  ): Promise<string[]> {
    const urls = [...photos.nodes, ...queuedJobs.nodes.flatMap(({ outputs }) => outputs)].map(
      ({ url }) => new URL(url, service.url),
    );
    return Promise.all(
      urls.map(async (url) =>
        Buffer.from(await (await fetch(url)).arrayBuffer()).toString("base64"),
      ),
    );
  }
  const statesOf = ({ queuedJobs }: Everything) =>
    Object.fromEntries(queuedJobs.nodes.map(({ id, status }) => [id, status]));

  it(
    "is restored with finished jobs, completes unfinished ones, and expires later cursors",
    { timeout: 120_000 },
    async () => {
      const source = await createDatabase("photos_source");
      assert.equal(
        (await runBin("migrate", { cwd: folder, env: { DATABASE_URL: source } })).code,
        0,
      );
      // One slot, so that one job runs and one waits during the backup.
      const first = await start(source, "bytes", { WORKER_CONCURRENCY: "1", WORKER_TASKS: "1" });
      const ann = await first.person(PERSON);
      const photo = (await ann.upload(smallPhoto(60, 40), { type: "image/png", filename: "ü.png" }))
        .json as { id: string };
      const done = await ann.enqueue("thumbnail", { widths: [20, 40] }, { photoIds: [photo.id] });
      const failed = await ann.enqueue("echo", { failPermanently: true });
      for (const { id } of [done, failed]) await ann.finished(id);
      const running = await ann.enqueue("echo", LONG);
      await eventually("it runs", async () => (await ann.job(running.id))?.status === "STARTED");
      const waiting = await ann.enqueue("echo", { message: "it waited" });
      const bytes = await bytesOf(first, await read(ann));
      const cursor = await ann.cursor();

      await run(commandOf("backup.sh"), { DATABASE_URL: source, PHOTOS: join(folder, "bytes") });
      const later = await ann.enqueue("echo", {}, { idempotencyKey: "after the backup" });
      await first.close();

      const restored = await createDatabase("photos_restored");
      const { stdout } = await run(commandOf("restore.sh"), {
        DATABASE_URL: restored,
        PHOTOS: join(folder, "bytes-restored"),
      });
      assert.match(stdout, /Restored\./);
      assert.match(stdout, /The database is up to date/);
      const sql = postgres(restored, { max: 1 });
      // A real restore takes long enough for leases to expire.
      await expireLeases(sql);
      await sql.end();

      // A new prefix, which is like an empty Redis.
      const second = await start(restored, "bytes-restored");
      try {
        const again = await second.person(PERSON);
        const now = await read(again);
        assert.deepEqual(
          now.photos.nodes.map(({ id, filename }) => [id, filename]),
          [[photo.id, "ü.png"]],
        );
        assert.deepEqual(
          [statesOf(now)[done.id], statesOf(now)[failed.id], later.id in statesOf(now)],
          ["SUCCESS", "FAILED", false],
        );
        assert.deepEqual(await bytesOf(second, now), bytes);
        assert.equal(bytes.length, 3);

        assert.deepEqual((await again.finished(waiting.id)).result, {
          message: "it waited",
          attempt: 1,
        });
        await eventually("the running job is taken over", async () => {
          const job = await again.job(running.id);
          return job?.status === "STARTED" && job.attempts === 2;
        });
        await again.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", {
          id: running.id,
        });
        const stream = again.events({ after: cursor });
        assert.equal((await stream.ended()).errors?.[0]?.extensions.code, "CURSOR_EXPIRED");
        const fresh = again.events({ after: await again.cursor() });
        const repeated = await again.enqueue("echo", {}, { idempotencyKey: "after the backup" });
        assert.notEqual(repeated.id, later.id);
        await fresh.next(
          "an event of the repeated submission",
          ({ type, queuedJob }) => type === "SUCCEEDED" && queuedJob.id === repeated.id,
        );
        fresh.stop();
        assert.match(await askDatabasePage(second.url), /<td class="number">5<\/td>/);
      } finally {
        await second.close();
      }
    },
  );

  it(
    "is noticed by running APIs: streams end with CURSOR_EXPIRED in 5 s, and cursors agree",
    { timeout: 120_000 },
    async () => {
      const url = await createDatabase("photos_running");
      assert.equal((await runBin("migrate", { cwd: folder, env: { DATABASE_URL: url } })).code, 0);
      const service = await startTestService({ apis: 2, workers: 0, env: { DATABASE_URL: url } });
      try {
        const ann = await service.person(PERSON);
        await ann.enqueue("echo");
        await run("deploy/backup.sh running.dump", { DATABASE_URL: url });
        const stream = ann.events({ after: await ann.cursor() });
        const { id } = await ann.enqueue("echo");
        const last = await stream.next("its event", ({ queuedJob }) => queuedJob.id === id);

        const sql = postgres(server.url, { max: 1 });
        await sql.unsafe("drop database photos_running with (force)");
        await sql.end();
        await createDatabase("photos_running");
        await run("deploy/restore.sh running.dump", { DATABASE_URL: url });
        const { errors } = await stream.ended(5000);
        assert.equal(errors?.[0]?.extensions.code, "CURSOR_EXPIRED");
        const other = createTestClient((await service.addApi()).url, ann.token);
        await eventually(
          "both APIs return the same cursor",
          async () => (await ann.cursor()) === (await other.cursor()),
          5000,
        );
        for (const client of [ann, other]) {
          const late = await client.events({ after: last.cursor }).ended();
          assert.equal(late.errors?.[0]?.extensions.code, "CURSOR_EXPIRED");
        }
      } finally {
        await service.close();
      }
    },
  );

  it("is not restored into a database with tables, and leaves no file when it fails", async () => {
    const full = await createDatabase("photos_full");
    assert.equal((await runBin("migrate", { cwd: folder, env: { DATABASE_URL: full } })).code, 0);
    await assert.rejects(
      run("deploy/restore.sh photos.dump", { DATABASE_URL: full }),
      /already exists/,
    );
    await assert.rejects(
      run("deploy/backup.sh none.dump; ls none.dump", {
        DATABASE_URL: "postgres://nobody@127.0.0.1:1/none",
      }),
      /refused/,
    );
    await assert.rejects(run("ls none.dump", {}));
  });
});

/** Uses the read-only role, which exists in a restored database only after its migration. */
async function askDatabasePage(url: string): Promise<string> {
  const answer = await fetch(`${url}/admin/db`, {
    method: "POST",
    body: new URLSearchParams({ sql: "select count(*) from queued_jobs" }),
    headers: {
      authorization: `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString("base64")}`,
      "sec-fetch-site": "same-origin",
    },
  });
  return answer.text();
}
