import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../../support/runner/eventually.js";
import type { TestClient } from "../../support/clients/test-client.js";
import {
  startTestService,
  type AddedProcess,
  type TestService,
} from "../../support/service/test-service.js";

const PATH = "/admin/pauses";
const MINE = `{
  me { limits { paused } }
  job(name: "echo") { paused enabled }
  queuedJobs(first: 100) { nodes { status queuePosition estimatedStartAt job { paused } } }
}`;

describe("the page of pauses", () => {
  let acting: TestService;
  let worker: AddedProcess;
  let ann: TestClient;
  let bob: TestClient;
  before(async () => {
    acting = await startTestService({
      operated: true,
      workers: 0,
      env: { ADMIN_ACTIONS: "true" },
    });
    worker = await acting.addWorker();
    [ann, bob] = [
      await acting.person({ email: "ann@example.test" }),
      await acting.person({ email: "bob@example.test" }),
    ];
  });
  afterEach(() => acting.database.sql`delete from pauses`);
  after(() => acting.close());
  const act = async (path: string, fields: Record<string, string>) => {
    const answer = await acting.operator.post(`${PATH}${path}`, fields);
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, PATH], answer.text);
  };
  const startedAfter = async (ids: string[]) =>
    (
      await acting.database.sql`select from queued_job_events where type = 'STARTED'
        and queued_job_id = any(${ids})`
    ).length;

  it("pauses a Job: nothing starts, owners see it, and a resume starts all at once", async () => {
    const running = await ann.enqueue("echo", { durationMs: 500 });
    await eventually("it runs", async () => (await ann.job(running.id))?.status === "STARTED");
    await act("/job", { job: "echo", reason: "a <bad> release" });
    const ids: string[] = [];
    for (let i = 0; i < 20; i++)
      ids.push((await (i % 2 ? ann : bob).enqueue("echo", i === 0 ? { failAttempts: 1 } : {})).id);
    const later = await ann.enqueue(
      "echo",
      {},
      { runAt: new Date(Date.now() + 1000).toISOString() },
    );
    const { text } = await acting.operator.get(PATH);
    assert.match(text, /Job\s+<a href="\/admin\/jobs\?job=echo">echo<\/a>/);
    assert.match(text, /a &lt;bad&gt; release/);
    assert.equal((await ann.finished(running.id)).status, "SUCCESS");
    const mine = await eventually("owners see it", async () => {
      const answer = await ann.get(MINE);
      return answer.job.paused && answer;
    });
    assert.deepEqual([mine.me.limits.paused, mine.job.enabled], [false, true]);
    const waiting = mine.queuedJobs.nodes.filter(
      ({ status }: { status: string }) => status === "PENDING",
    );
    assert.equal(waiting.length, 11);
    for (const row of waiting)
      assert.deepEqual(row, {
        status: "PENDING",
        queuePosition: null,
        estimatedStartAt: null,
        job: { paused: true },
      });

    // Neither a restart of the worker nor another one starts anything.
    await worker.close();
    worker = await acting.addWorker();
    await eventually("the worker names it", async () => {
      const health = await fetch(`${worker.url}/health/ready`);
      const { status, pauses } = (await health.json()) as Record<string, string>;
      return (
        health.status === 200 &&
        status === "degraded" &&
        pauses === "paused by an operator: the Job echo"
      );
    });
    assert.equal(await startedAfter([...ids, later.id]), 0);
    const cancelled = ids.pop() ?? "";
    await ann.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id: cancelled });

    const resumed = Date.now();
    await act("/resume", { kind: "JOB", subject: "echo" });
    for (const id of [...ids, later.id]) {
      const owner = (await ann.job(id)) ? ann : bob;
      assert.equal((await owner.finished(id, 15_000)).status, "SUCCESS");
    }
    assert.ok(Date.now() - resumed < 15_000);
    assert.equal(await startedAfter([cancelled]), 0);
    assert.match((await acting.operator.get(PATH)).text, /Nothing is paused\./);
  });

  it("pauses a user by e-mail, who sees it, beside another one", async () => {
    await act("/user", { user: "ANN@example.test", reason: "" });
    assert.match((await acting.operator.get(PATH)).text, /user\s+<a [^>]*>ann@example\.test<\/a>/);
    const mine = await ann.enqueue("echo");
    const theirs = await bob.enqueue("echo");
    assert.equal((await bob.finished(theirs.id)).status, "SUCCESS");
    await eventually("she sees it", async () => (await ann.get(MINE)).me.limits.paused);
    assert.equal((await bob.get(MINE)).me.limits.paused, false);
    assert.equal(await startedAfter([mine.id]), 0);
    const [user] = await acting.database.sql<
      { id: string }[]
    >`select id from users where email = 'ann@example.test'`;
    await act("/resume", { kind: "USER", subject: user?.id ?? "" });
    assert.equal((await ann.finished(mine.id, 15_000)).status, "SUCCESS");
  });

  it("answers what it cannot do with a sentence, and records what it did", async () => {
    for (const [path, fields, status, sentence] of [
      ["/job", { job: "nothing" }, 404, /The catalogue has no Job &quot;nothing&quot;\./],
      ["/user", { user: "someone@example.test" }, 404, /No user has the e-mail address or id/],
      ["/user", {}, 404, /No user/],
      ["/job", { job: "echo", reason: "x".repeat(300) }, 400, /use at most 200 characters/],
      ["/resume", { kind: "nothing" }, 400, /no kind of pause/],
    ] as const) {
      const answer = await acting.operator.post(`${PATH}${path}`, fields);
      assert.equal(answer.status, status, path);
      assert.match(answer.text, sentence);
    }
    await act("/resume", { kind: "JOB", subject: "echo" });
    assert.equal((await acting.operator.get(`${PATH}/job`)).status, 404);
    const recorded = await acting.database.sql`
      select action, actor, target, count, request_id from operator_actions order by id`;
    const { request_id: requestId, ...first } = recorded[0] ?? {};
    assert.deepEqual(first, {
      action: "pause Job",
      actor: "admin (127.0.0.1)",
      target: { job: "echo" },
      count: 1,
    });
    assert.equal(typeof requestId, "string");
  });

  it("only shows without ADMIN_ACTIONS=true, and refuses other sites with it", async () => {
    const reading = await startTestService({ operated: true, workers: 0 });
    const { text } = await reading.operator.get(PATH);
    assert.doesNotMatch(text, /<form|<button/);
    assert.match(text, /These pages only show/);
    for (const path of ["/job", "/user", "/resume", "/../workers/drain", "/../workers/undrain"]) {
      const url = new URL(`${PATH}${path}`, reading.url).pathname;
      for (const headers of [{}, { "sec-fetch-site": "same-origin" }]) {
        const answer = await reading.operator.post(url, { job: "echo" }, headers);
        assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"], url);
      }
      for (const headers of [{}, { "sec-fetch-site": "cross-site" }])
        assert.equal(
          (await acting.operator.post(url, { job: "echo", name: "w" }, headers)).status,
          403,
          url,
        );
      assert.equal((await fetch(`${acting.url}${url}`, { method: "POST" })).status, 401, url);
    }
    await reading.close();
    assert.equal((await acting.database.sql`select from pauses`).length, 0);
  });
});
