// Processes crash, freeze or fail at named points. No accepted job may be lost, and none may end
// twice. The most dangerous crashes always run; all other cases are long tests.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { REDIS_PREFIX } from "../../src/app/create-core.js";
import { claimPort } from "../../src/embedded/ports.js";
import type { FailpointName } from "../../src/runtime/failpoint.js";
import { assertConsistent } from "../support/asserts/assert-consistent.js";
import { eventually } from "../support/runner/eventually.js";
import type { FaultKind } from "./failpoint-process.js";
import { long } from "../support/runner/long.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { startWithFailpoint } from "./start-with-failpoint.js";
import { createTestClient, type TestClient } from "../support/clients/test-client.js";
import { expireLeases } from "../support/stores/expire-leases.js";
import { testRedis } from "../support/stores/test-redis.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const KINDS: FaultKind[] = ["crash", "freeze", "error"];
const ALWAYS: FailpointName[] = [
  "work: before the outcome is recorded",
  "reconcile: before the hints",
  "accept: after the commit",
];
const lengthOf = (at: FailpointName, how: FaultKind) =>
  how === "crash" && ALWAYS.includes(at) ? {} : long;
const IN_WORKER: FailpointName[] = [
  "step: after the commit",
  "work: after the claim",
  "work: after the outputs are stored",
  "work: before the outcome is recorded",
  "work: after the outcome is recorded",
  "reconcile: before the hints",
];
const IN_API: FailpointName[] = ["accept: before the statement", "accept: after the commit"];

const ENQUEUE_GROUP = `mutation { enqueueGroup(input: { jobs: [
  { key: "a", job: "echo", runAt: "${new Date(Date.now() + 3_600_000).toISOString()}" },
  { key: "b", job: "echo", after: ["a"] }] }) { id } }`;

describe("a process that fails at a failpoint", () => {
  /** The healthy API and worker run in this process, so they need no start. */
  let service: TestService;
  let client: TestClient;
  let photoId: string;
  const ends: (() => Promise<unknown>)[] = [];

  before(async () => {
    // The processes use production's prefix, so the test takes a separate Redis database.
    service = await startTestService({
      workers: 0,
      redisPrefix: REDIS_PREFIX,
      env: { REDIS_URL: Object.assign(new URL(testRedis().url), { pathname: "/8" }).href },
    });
    client = await service.person();
    photoId = String(
      (await client.upload(smallPhoto(), { type: "image/png", filename: "a.png" })).json["id"],
    );
  });
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });
  after(() => service.close());

  async function startBad(name: "api" | "worker", fault: { at: FailpointName; how: FaultKind }) {
    const port = await claimPort({ host: "127.0.0.1", port: 0, variable: "PORT" });
    const bad = await startWithFailpoint(name, { port, env: service.env, fault });
    ends.push(() => {
      bad.kill("SIGKILL");
      return bad.ended;
    });
    return { ...bad, url: `http://127.0.0.1:${port}` };
  }
  const addSoundWorker = async () => void ends.push((await service.addWorker()).close);

  for (const at of IN_WORKER) {
    for (const how of KINDS) {
      it(`leaves its work to another worker: ${how} at "${at}"`, lengthOf(at, how), async () => {
        const bad = await startBad("worker", { at, how });
        const { id } = await client.enqueue(
          "thumbnail",
          { widths: [16] },
          { photoIds: [photoId], fresh: true },
        );
        await bad.hit();
        await expireLeases(service.database.sql);
        await addSoundWorker();
        assert.equal((await client.finished(id, 60_000)).status, "SUCCESS");
        // The frozen worker continues, and must change nothing.
        if (how === "freeze") bad.kill("SIGCONT");
        await assertConsistent(service.database.sql);
        await assertEndedOnce(client, id);
      });
    }
  }

  for (const at of IN_API) {
    for (const how of KINDS) {
      it(
        `lets a repeat with the same key make one QueuedJob: API, ${how} at "${at}"`,
        lengthOf(at, how),
        async () => {
          const bad = await startBad("api", { at, how });
          const key = `${at} ${how}`;
          const lost = createTestClient(bad.url, client.token)
            .enqueue("echo", {}, { idempotencyKey: key })
            .catch(() => null);
          await bad.hit();
          const { id } = await client.enqueue("echo", {}, { idempotencyKey: key });
          bad.kill(how === "freeze" ? "SIGCONT" : "SIGKILL");
          const answered = await lost;
          if (answered) assert.equal(answered.id, id);
          await addSoundWorker();
          assert.equal((await client.finished(id, 60_000)).status, "SUCCESS");
          await assertConsistent(service.database.sql);
          await assertEndedOnce(client, id);
          const [{ rows } = { rows: 0 }] = await service.database.sql<
            { rows: number }[]
          >`select count(*)::int as rows from queued_jobs where idempotency_key = ${key}`;
          assert.equal(rows, 1);
        },
      );
    }
  }

  it("leaves the rest of a cancelled group to the reconciler: API, crash", long, async () => {
    const group = (await client.get(ENQUEUE_GROUP)).enqueueGroup;
    const bad = await startBad("api", { at: "group: before the next wave", how: "crash" });
    void createTestClient(bad.url, client.token)
      .ask("mutation ($id: ID!) { cancelGroup(id: $id) { id } }", group)
      .catch(() => null);
    await bad.hit();
    await expireLeases(service.database.sql);
    await addSoundWorker();
    await eventually("the group is cancelled", async () => {
      const { jobGroup } = await client.get(
        "query ($id: ID!) { jobGroup(id: $id) { status cancelled } }",
        group,
      );
      return jobGroup.status === "CANCELLED" && jobGroup.cancelled === 2;
    });
    await assertConsistent(service.database.sql);
  });
});

async function assertEndedOnce(client: TestClient, id: string): Promise<void> {
  const { queuedJob } = await client.get(
    "query ($id: ID!) { queuedJob(id: $id) { history { type } outputs { name url } } }",
    { id },
  );
  const types = queuedJob.history.map(({ type }: { type: string }) => type);
  assert.equal(types.filter((type: string) => type === "SUCCEEDED").length, 1, types.join(" "));
  assert.equal(types.at(-1), "SUCCEEDED");
  for (const { url } of queuedJob.outputs)
    await eventually(
      "the output file exists",
      async () => (await fetch(new URL(url, client.url))).ok,
    );
}
