import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import { catalogue } from "../../../../src/tasks/catalogue.js";
import { eventually } from "../../../support/runner/eventually.js";
import { processTree } from "../../../support/processes/process-tree.js";
import { OPERATOR_PASSWORD, scrape } from "../../../support/clients/scrape.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

describe("the metrics of a service", () => {
  let service: TestService;
  let worker: string;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: { ADMIN_PASSWORD: OPERATOR_PASSWORD, REVISION: "abc" },
    });
    const added = await service.addWorker();
    await added.warm();
    worker = added.url;
  });
  after(() => service.close());

  it("count submissions, attempts, events, uploads, requests and errors", async () => {
    const person = await service.person();
    const stream = person.events({ after: await person.cursor() });
    await eventually(
      "the stream is counted",
      async () => (await scrape(service.url)).value("photos_subscribers") === 1,
    );
    await Promise.all([
      person.finished((await person.enqueue("echo")).id),
      person.finished((await person.enqueue("echo", { failPermanently: true })).id),
    ]);
    await stream.next(
      "both results",
      () =>
        stream.events.filter(({ type }) => type === "SUCCEEDED" || type === "FAILED").length === 2,
    );
    const photo = smallPhoto();
    for (const _ of [1, 2]) await person.upload(photo, { type: "image/png" });
    await person.ask(
      'mutation { cancelQueuedJob(id: "0198f3a0-0000-7000-8000-000000000000") { id } }',
    );

    const [api, workers] = await Promise.all([scrape(service.url), scrape(worker)]);
    assert.deepEqual(
      [api, workers].map((metrics) =>
        ["PENDING", "STARTED", "SUCCESS", "FAILED"].map((status) =>
          metrics.value("photos_queued_jobs_total", { job: "echo", status }),
        ),
      ),
      [
        [2, 0, 0, 0],
        [0, 2, 1, 1],
      ],
    );
    assert.deepEqual(
      ["succeeded", "failed"].map((outcome) =>
        workers.value("photos_attempts_total", { job: "echo", outcome }),
      ),
      [1, 1],
    );
    assert.equal(workers.value("photos_task_duration_seconds_count", { job: "echo" }), 2);
    // QUEUED, STARTED and the final event of two jobs.
    assert.equal(api.value("photos_event_lag_seconds_count"), 6);
    assert.ok(api.value("photos_event_lag_seconds_sum") < 6, "the lag is too large");
    assert.deepEqual(
      ["created", "known"].map((outcome) => api.value("photos_uploads_total", { outcome })),
      [1, 1],
    );
    assert.equal(api.value("photos_uploaded_bytes_total"), photo.length);
    assert.deepEqual(
      [
        api.value("photos_http_request_duration_seconds_count", {
          route: "/photos",
          status: "201",
        }),
        api.value("photos_http_request_duration_seconds_count", {
          route: "/photos",
          status: "200",
        }),
      ],
      [1, 1],
    );
    assert.equal(
      api.value("photos_field_duration_seconds_count", {
        type: "mutation",
        field: "enqueueJob",
        outcome: "ok",
      }),
      2,
    );
    assert.deepEqual(
      [
        api.value("photos_field_duration_seconds_count", {
          field: "cancelQueuedJob",
          outcome: "failed",
        }),
        api.value("photos_graphql_errors_total", { code: "NOT_FOUND" }),
      ],
      [1, 1],
    );
    assert.equal(
      api.value("photos_field_duration_seconds_count", {
        type: "subscription",
        field: "queuedJobEvents",
      }),
      1,
    );
    assert.equal(api.value("photos_sockets"), 1);
    stream.stop();
    await eventually(
      "the stream is not counted any more",
      async () => (await scrape(service.url)).value("photos_subscribers") === 0,
    );
  });

  it("do not count replayed events as late", async () => {
    const person = await service.person();
    const start = await person.cursor();
    await person.finished((await person.enqueue("echo")).id);
    const countBefore = (await scrape(service.url)).value("photos_event_lag_seconds_count");
    const replay = person.events({ after: start });
    await replay.next("the end", ({ type }) => type === "SUCCEEDED");
    replay.stop();
    assert.equal((await scrape(service.url)).value("photos_event_lag_seconds_count"), countBefore);
  });

  it("have no label that a client can choose", async () => {
    const person = await service.person();
    const mark = "chosen7f3a";
    await Promise.all([
      fetch(`${service.url}/${mark}?${mark}`),
      fetch(`${service.url}/files/photos/${mark}/${mark}`),
      fetch(`${service.url}/graphql`, { method: "PROPFIND" }),
      person.ask(`query ${mark} { ${mark}: me { id } }`),
      person.ask(`{ ${mark} }`),
      person.enqueue("echo", { message: mark }, { idempotencyKey: mark }),
      person.ask("mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id } }", {
        input: { job: mark },
      }),
    ]);
    // A Job of another version that this version does not know.
    const { sql } = service.database;
    await sql`insert into jobs select (jsonb_populate_record(j, jsonb_build_object('name',
      ${mark}::text))).* from jobs j where name = 'echo'`;
    await sql`insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority,
      request_id, due_at, created_at, updated_at, status)
      select gen_random_uuid(), id, ${mark}, '{}', 0, 0, 'r', now(), now(), now(), 'PENDING'
        from users limit 1`;
    const socket = new WebSocket(
      `${service.url.replace("http", "ws")}/graphql`,
      "graphql-transport-ws",
    );
    await new Promise((resolve) => socket.once("open", resolve));
    socket.close(4777, mark);
    const api = await eventually("the close is counted", async () => {
      const now = await scrape(service.url);
      return (
        now.value("photos_socket_closes_total", { code: "other" }) === 1 &&
        now.value("photos_queue_backlog", { job: "other" }) === 1 &&
        now
      );
    });
    for (const { text } of [api, await scrape(worker)])
      assert.ok(
        !text.includes(mark),
        text.split("\n").find((line) => line.includes(mark)),
      );
    assert.deepEqual(
      [...api.values("job")].filter((job) => !catalogue.has(job as "echo")),
      ["other"],
    );
    assert.ok(
      api.value("photos_http_request_duration_seconds_count", { route: "none", status: "404" }) >=
        1,
    );
    const users = await service.database.sql<
      { id: string; email: string }[]
    >`select id, email from users`;
    for (const { id, email } of users)
      assert.ok(!api.text.includes(id) && !api.text.includes(email));
  });

  it("count faults: masked errors on all routes, and a killed child process", async () => {
    const person = await service.person();
    const faults = async (url: string, kind: string) =>
      (await scrape(url)).value("photos_faults_total", { kind });
    await service.database.sql`alter table photos rename to photos_gone`;
    try {
      assert.equal((await person.ask("{ photos { nodes { id } } }")).code, "INTERNAL_SERVER_ERROR");
      assert.equal(await faults(service.url, "request"), 1);
      assert.equal((await person.upload(smallPhoto(9, 9), { type: "image/png" })).status, 500);
      await eventually(
        "the answer is counted",
        async () => (await faults(service.url, "request")) === 2,
      );
    } finally {
      await service.database.sql`alter table photos_gone rename to photos`;
    }
    assert.equal(
      (await scrape(service.url)).value("photos_graphql_errors_total", {
        code: "INTERNAL_SERVER_ERROR",
      }),
      1,
    );

    const headers = {
      authorization: `Bearer ${await service.token({ sub: "who signs in for the first time" })}`,
      "content-type": "application/json",
    };
    await service.database.sql`alter table users rename to users_gone`;
    try {
      for (const path of ["/graphql", "/graphql/stream"])
        assert.equal(
          (
            await fetch(service.url + path, {
              method: "POST",
              headers,
              body: '{"query":"{ me { id } }"}',
            })
          ).status,
          500,
          path,
        );
      await eventually("each is counted", async () => (await faults(service.url, "request")) >= 4);
    } finally {
      await service.database.sql`alter table users_gone rename to users`;
    }
    assert.equal(await faults(service.url, "request"), 4);

    const child = processTree(process.pid).find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("task-child"),
    );
    assert.ok(child, "the worker has no child");
    process.kill(child, "SIGKILL");
    await eventually(
      "the death is counted",
      async () => (await faults(worker, "child_killed")) === 1,
    );
    assert.deepEqual([await faults(worker, "task"), await faults(worker, "child_crashed")], [0, 0]);
  });
});
