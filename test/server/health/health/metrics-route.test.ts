import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { catalogue } from "../../../../src/tasks/catalogue.js";
import { OPERATOR_PASSWORD, scrape } from "../../../support/clients/scrape.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const CONTRACT = [
  "photos_queued_jobs_total",
  "photos_queue_depth",
  "photos_queue_oldest_wait_seconds",
  "photos_task_duration_seconds",
  "photos_event_lag_seconds",
  "photos_subscribers",
  "photos_build_info",
];

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

  it("have the names of the contract with one prefix, and those of the process without it", async () => {
    const [api, workers] = await Promise.all([scrape(service.url), scrape(worker)]);
    const names = new Set([...api.names, ...workers.names]);
    assert.deepEqual(
      CONTRACT.filter((name) => !names.has(name)),
      [],
    );
    assert.deepEqual(
      [...names].filter((name) => !/^(photos|nodejs|process)_/.test(name)),
      [],
    );
    for (const name of ["process_resident_memory_bytes", "nodejs_eventloop_lag_seconds"])
      assert.ok(api.value(name) >= 0 && workers.value(name) >= 0, name);
    assert.equal(api.value("photos_build_info", { revision: "abc", process: "api" }), 1);
    assert.equal(workers.value("photos_build_info", { revision: "abc", process: "worker" }), 1);
  });

  it("require the operator's password, on API and worker", async () => {
    for (const url of [service.url, worker]) {
      const anonymous = await fetch(`${url}/metrics`);
      assert.deepEqual(
        [anonymous.status, ((await anonymous.json()) as { code: string }).code],
        [401, "UNAUTHENTICATED"],
      );
      const wrong = await fetch(`${url}/metrics`, {
        headers: { authorization: `Basic ${Buffer.from("admin:wrong").toString("base64")}` },
      });
      assert.deepEqual(
        [wrong.status, ((await wrong.json()) as { message: string }).message],
        [401, 'Admin sign-in required: user "admin" with the password from ADMIN_PASSWORD.'],
      );
    }
  });

  // Prometheus does not see the first increase of a counter that starts at 1.
  it("have all counters at 0 from the start", async () => {
    const [api, workers] = await Promise.all([scrape(service.url), scrape(worker)]);
    for (const [metrics, counters] of [
      [
        api,
        [
          "queued_jobs",
          "faults",
          "refusals",
          "dropped_notifications",
          "graphql_errors",
          "socket_closes",
          "sockets_refused",
          "uploads",
          "uploaded_bytes",
          "images",
        ],
      ],
      [
        workers,
        [
          "queued_jobs",
          "faults",
          "refusals",
          "dropped_notifications",
          "attempts",
          "upkeep_actions",
          "maintenance_failures",
          "operation_jobs",
        ],
      ],
    ] as const) {
      assert.deepEqual(
        [...metrics.text.matchAll(/^# TYPE photos_(\w+)_total counter$/gm)]
          .map(([, name]) => name)
          .filter((name) => !/^(process|nodejs)_/.test(name ?? ""))
          .toSorted(),
        counters.toSorted(),
      );
      for (const counter of counters)
        assert.ok(metrics.value(`photos_${counter}_total`) >= 0, counter);
      for (const kind of [
        "request",
        "task",
        "child_crashed",
        "child_killed",
        "child_memory",
        "child_timeout",
        "child_unstartable",
        "foreign_rows",
        "row",
      ])
        assert.equal(metrics.value("photos_faults_total", { kind }), 0, kind);
      for (const job of catalogue.keys())
        assert.equal(metrics.value("photos_queued_jobs_total", { job, status: "FAILED" }), 0, job);
    }
    assert.equal(
      workers.value("photos_attempts_total", { job: "thumbnail", outcome: "failed" }),
      0,
    );
    const [, guide = ""] = readFileSync("examples/README.md", "utf8").split("## Handle errors");
    const [table = ""] = guide.split("Uploads answer");
    const codes = [...table.matchAll(/^\| (`[A-Z_`, ]+`) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/[A-Z_]+/g)].map(([code]) => code),
    );
    assert.ok(codes.length > 10, `the client guide has ${codes.length} codes`);
    for (const code of codes)
      assert.equal(api.value("photos_graphql_errors_total", { code }), 0, code);
  });
});
