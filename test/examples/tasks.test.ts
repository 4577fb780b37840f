// The tasks of examples/tasks, copied to a folder outside this repository, in a running service.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import { REDIS_PREFIX } from "../../src/app/create-core.js";
import { claimPort } from "../../src/embedded/ports.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { noise } from "../imaging/noise.js";
import { startWithFailpoint } from "../stories/start-with-failpoint.js";
import type { TestClient } from "../support/clients/test-client.js";
import { runBin } from "../support/processes/run-bin.js";
import { copyExampleTasks, writeOutsideTasks } from "../support/service/outside-tasks.js";
import { startTestService, type TestService } from "../support/service/test-service.js";
import { expireLeases } from "../support/stores/expire-leases.js";
import { testRedis } from "../support/stores/test-redis.js";

describe("a task outside this repository", () => {
  const folder = temporaryFolder().path;
  const tasks = join(folder, "tasks");
  let service: TestService;
  let client: TestClient;
  let photoId: string;
  before(async () => {
    copyExampleTasks(tasks);
    writeOutsideTasks(tasks, { broken: { run: "export const run = (" } });
    // The worker process uses production's prefix, so the test takes a separate Redis database.
    service = await startTestService({
      workers: 0,
      redisPrefix: REDIS_PREFIX,
      env: {
        TASKS: tasks,
        REDIS_URL: Object.assign(new URL(testRedis().url), { pathname: "/9" }).href,
      },
    });
    client = await service.person();
    photoId = String((await client.upload(await noise(400, 300).jpeg().toBuffer())).json["id"]);
  });
  after(() => service.close());

  const named = (line: string) => line.includes(join(tasks, "broken"));

  it("gets its row from migrate, which names the broken one beside it", async () => {
    const { DATABASE_URL = "" } = service.env;
    const { code, stdout } = await runBin("migrate", {
      cwd: folder,
      env: { DATABASE_URL, TASKS: "tasks" },
    });
    assert.equal(code, 0);
    assert.equal(stdout.split("\n").filter(named).length, 1);
    assert.equal(
      service.logged.filter(({ level, msg }) => Number(level) >= 40 && named(String(msg))).length,
      1,
    );
  });

  it("is listed with the schemas of its parameters and its result", async () => {
    const { job, jobs } = await client.get(
      '{ job(name: "file-facts") { title enabled minPhotos parameterSchema resultSchema } ' +
        "jobs { nodes { name } } }",
    );
    assert.deepEqual([job.title, job.enabled, job.minPhotos], ["File facts", true, 1]);
    assert.deepEqual(Object.keys(job.parameterSchema.properties), ["blockBytes", "width"]);
    assert.match(job.parameterSchema.properties.width.description, /^Pixels in one row/);
    assert.deepEqual(job.resultSchema.required, ["byteSize", "bitsPerByte", "blocks"]);
    const names = (jobs.nodes as { name: string }[]).map(({ name }) => name);
    assert.ok(names.includes("file-facts") && !names.includes("broken"));
  });

  it("has its parameters checked, and survives the death of its worker", async () => {
    const refused = await client.ask(
      'mutation { enqueueJob(input: { job: "file-facts", parameters: { width: 7 } }) { id } }',
    );
    assert.match(String(refused.errors?.[0]?.message), /parameters\.width: must be 8 or more/);

    const at = "work: after the outputs are stored";
    const port = await claimPort({ host: "127.0.0.1", port: 0, variable: "PORT" });
    const fault = { at, how: "crash" } as const;
    const doomed = await startWithFailpoint("worker", { port, env: service.env, fault });
    const { id } = await client.enqueue("file-facts", { width: 8 }, { photoIds: [photoId] });
    await doomed.hit();
    await doomed.ended;
    await expireLeases(service.database.sql);
    const worker = await service.addWorker();
    const done = await client.finished(id);
    assert.deepEqual([done.status, done.attempts], ["SUCCESS", 2]);
    const { blocks, bitsPerByte } = done.result as { blocks: number; bitsPerByte: number };
    assert.ok(bitsPerByte > 6 && bitsPerByte <= 8, `${bitsPerByte}`);
    assert.deepEqual(await mapOf(id), [8, Math.ceil(blocks / 8)]);

    const again = await client.enqueue("file-facts", { width: 8 }, { photoIds: [photoId] });
    await client.finished(again.id);
    assert.ok(
      service.logged.some(({ reusedFrom }) => reusedFrom === id),
      "it was not reused",
    );
    await worker.close();
  });

  it("fails for good with its own code", async () => {
    const png = await noise(900, 700).png().toBuffer();
    const photoIds = [String((await client.upload(png, { type: "image/png" })).json["id"])];
    const worker = await service.addWorker();
    const { id } = await client.enqueue("file-facts", { blockBytes: 64 }, { photoIds });
    const { status, attempts, error } = await client.finished(id);
    assert.deepEqual([status, attempts, error?.code], ["FAILED", 1, "TOO_MANY_BLOCKS"]);
    assert.match(error?.message ?? "", /^The map would have \d+ pixels; at most 20000 are/);
    await worker.close();
  });

  /** The width and the height of the map that a QueuedJob has drawn. */
  async function mapOf(id: string): Promise<[number, number]> {
    const query = "query ($id: ID!) { queuedJob(id: $id) { outputs { name url } } }";
    const { queuedJob } = await client.get(query, { id });
    assert.equal(queuedJob.outputs[0].name, "map.png");
    const response = await fetch(new URL(String(queuedJob.outputs[0].url), service.url));
    const { width, height } = await sharp(await response.arrayBuffer()).metadata();
    return [width, height];
  }
});
