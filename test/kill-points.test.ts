// Processes that crash, freeze or fail at named points: nothing that was accepted is lost, and nothing is done twice.
// npm test crashes at each point; KILL_POINTS=all freezes and fails there as well.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { SignJWT } from "jose";
import { claimPort } from "../src/embedded/claim-port.js";
import type { FailpointName } from "../src/failpoint.js";
import { assertConsistent } from "./support/assert-consistent.js";
import { eventually } from "./support/eventually.js";
import type { FaultKind } from "./support/failpoint-process.js";
import { smallPhoto } from "./support/small-photo.js";
import { startWithFailpoint } from "./support/start-with-failpoint.js";
import type { FailingProcess } from "./support/start-with-failpoint.js";
import { createTestClient } from "./support/test-client.js";
import type { TestClient } from "./support/test-client.js";
import { createTestDatabase } from "./support/test-database.js";
import type { TestDatabase } from "./support/test-database.js";
import { testRedis } from "./support/test-redis.js";

const KINDS: FaultKind[] = process.env["KILL_POINTS"] === "all" ? ["crash", "freeze", "error"] : ["crash"];
const IN_WORKER: FailpointName[] = ["step: after the commit", "work: after the claim", "work: after the outputs are stored", "work: before the outcome is recorded", "work: after the outcome is recorded", "reconcile: before the hints"];
const IN_API: FailpointName[] = ["accept: before the statement", "accept: after the commit"];

describe("a process that dies at a point", () => {
  let database: TestDatabase;
  let folder: string;
  let env: Record<string, string>;
  let token: string;
  let api: FailingProcess;
  let client: TestClient;
  let photoId: string;
  const started: FailingProcess[] = [];
  const start = async (name: "api" | "worker", fault?: { at: FailpointName; how: FaultKind }, port?: number): Promise<FailingProcess> => {
    const one = await startWithFailpoint(name, { port: port ?? (await freePort()), env, ...(fault && { fault }) });
    started.push(one);
    return one;
  };

  before(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), "photo-kill-points-"));
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    env = {
      DATABASE_URL: database.url,
      // The prefix is production's: so that no other test is in its way, in a database of Redis of its own.
      REDIS_URL: Object.assign(new URL(testRedis().url), { pathname: "/8" }).href,
      STORAGE_URL: `file:${folder}`, JWT_PUBLIC_KEY: publicKey.export({ type: "spki", format: "pem" }).toString(), JWT_ISSUER: "test", JWT_AUDIENCE: "test", FILE_SIGNING_KEY: "a-signing-key-for-tests-0123456789abcdef",
    };
    token = await new SignJWT({ iss: "test", aud: "test", sub: "ann", email: "ann@example.test", exp: 2 ** 31 }).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
    const port = await freePort();
    api = await startWithFailpoint("api", { port, env });
    client = createTestClient(`http://127.0.0.1:${port}`, token);
    photoId = String((await client.upload(smallPhoto(), { type: "image/png", filename: "a.png" })).json["id"]);
  });

  afterEach(async () => {
    for (const one of started) one.kill("SIGKILL");
    await Promise.all(started.splice(0).map((one) => one.ended));
  });
  after(async () => {
    api.kill("SIGKILL");
    await api.ended;
    await database.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const at of IN_WORKER) {
    for (const how of KINDS) {
      it(`leaves its work to another: a worker, ${how} ${at.replace(":", ",")}`, async () => {
        const bad = await start("worker", { at, how });
        const { id } = await client.enqueue("thumbnail", { widths: [16] }, { photoIds: [photoId], fresh: true });
        await bad.hit();
        await expireLeases(database);
        await start("worker");
        assert.equal((await client.finished(id, 20_000)).status, "SUCCESS");
        // What comes back from the dead changes nothing.
        if (how === "freeze") bad.kill("SIGCONT");
        await assertConsistent(database.database.sql);
        await assertEndedOnce(client, id);
      });
    }
  }

  for (const at of IN_API) {
    for (const how of KINDS) {
      it(`has accepted all or nothing, and a repeat with the key gives one QueuedJob: an API, ${how} ${at.replace(":", ",")}`, async () => {
        const port = await freePort();
        const bad = await start("api", { at, how }, port);
        const key = `${at} ${how}`;
        const lost = createTestClient(`http://127.0.0.1:${port}`, token).enqueue("echo", {}, { idempotencyKey: key }).catch(() => null);
        await bad.hit();
        const { id } = await client.enqueue("echo", {}, { idempotencyKey: key });
        bad.kill(how === "freeze" ? "SIGCONT" : "SIGKILL");
        const answered = await lost;
        if (answered) assert.equal(answered.id, id);
        await start("worker");
        assert.equal((await client.finished(id, 20_000)).status, "SUCCESS");
        await assertConsistent(database.database.sql);
        await assertEndedOnce(client, id);
        const [{ rows } = { rows: 0 }] = await database.database.sql<{ rows: number }[]>`select count(*)::int as rows from queued_jobs where idempotency_key = ${key}`;
        assert.equal(rows, 1);
      });
    }
  }
});

/** Rather than wait for half a minute. */
async function expireLeases({ database: { sql } }: TestDatabase): Promise<void> {
  await sql`update queued_jobs set lease_until = now() where status = 'STARTED'`;
  await sql`update duties set held_until = now()`;
}

async function assertEndedOnce(client: TestClient, id: string): Promise<void> {
  const { queuedJob } = await client.get("query ($id: ID!) { queuedJob(id: $id) { history { type } outputs { name url } } }", { id });
  const types = queuedJob.history.map(({ type }: { type: string }) => type);
  assert.equal(types.filter((type: string) => type === "SUCCEEDED").length, 1, types.join(" "));
  assert.equal(types.at(-1), "SUCCEEDED");
  for (const { url } of queuedJob.outputs) await eventually("its file is there", async () => (await fetch(new URL(url, client.url))).ok);
}

const freePort = () => claimPort({ host: "127.0.0.1", port: 0, variable: "PORT" });
