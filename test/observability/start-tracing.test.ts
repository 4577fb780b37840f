// Tests with real processes of API and worker and a real OTLP receiver that one submission is one
// trace.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { eventually } from "../support/runner/eventually.js";
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from "./otlp-receiver.js";
import { long } from "../support/runner/long.js";
import { runBin, startBin, type RunningBin } from "../support/processes/run-bin.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { createTestClient, type TestClient } from "../support/clients/test-client.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";
import { testRedis } from "../support/stores/test-redis.js";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SUBMIT = "mutation Choose($input: EnqueueJobInput!) { enqueueJob(input: $input) { id } }";

describe("tracing", long, () => {
  const folder = temporaryFolder();
  let database: TestDatabase;
  let receiver: OtlpReceiver;
  let bins: Record<"api" | "worker", RunningBin>;
  let person: TestClient;

  // The compiled programs use the production prefix, so they need their own Redis database.
  const redisUrl = Object.assign(new URL(testRedis().url), { pathname: "/9" }).href;
  const start = (name: string) =>
    startBin(name, {
      cwd: folder.path,
      env: {
        DATABASE_URL: database.url,
        REDIS_URL: redisUrl,
        PORT: "0",
        WORKER_PORT: "0",
        WORKER_CONCURRENCY: "1",
        NODE_ENV: "development",
        LOG_LEVEL: "debug",
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_BSP_SCHEDULE_DELAY: "100",
      },
    });
  const lines = (bin: RunningBin) =>
    bin.stdout
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const line = (bin: RunningBin, message: string) =>
    eventually(
      `"${message}" is logged`,
      () => lines(bin).find(({ msg }) => msg === message),
      20_000,
    );

  before(async () => {
    [database, receiver] = await Promise.all([createTestDatabase(), startOtlpReceiver()]);
    bins = { api: start("api"), worker: start("worker") };
    const [{ url }] = await Promise.all([line(bins.api, "ready"), line(bins.worker, "takes work")]);
    const token = (
      await runBin("token", {
        cwd: folder.path,
        args: ["--email", "ann@example.test"],
        env: { NODE_ENV: "development" },
      })
    ).stdout.trim();
    person = createTestClient(String(url), token);
  });
  after(async () => {
    for (const { child } of Object.values(bins)) child.kill("SIGKILL");
    await Promise.all(Object.values(bins).map(({ ended }) => ended));
    await receiver.close();
    await database.close();
  });

  const spansNamed = (name: string) =>
    receiver.spans.filter((span) => span.traceId === TRACE && span.name === name);
  const parentOf = (span: ReceivedSpan | undefined) =>
    receiver.spans.find(({ spanId }) => spanId === span?.parentSpanId);

  it("follows a submission from the request to the notification as one trace", async () => {
    const answer = await person.ask(
      SUBMIT,
      { input: { job: "echo", parameters: { failAttempts: 1, message: "private-words" } } },
      { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, "x-request-id": "traced-1" },
    );
    await person.finished(answer.data.enqueueJob.id);
    const ended = await eventually("its last span has come", () =>
      spansNamed("attempt").find(({ attributes }) => attributes["photos.outcome"] === "succeeded"),
    );

    const path: string[] = [];
    for (
      let span: ReceivedSpan | undefined = spansNamed("record succeed")[0];
      span;
      span = parentOf(span)
    )
      path.unshift(`${span.service.replace("photo-service-", "")} ${span.name}`);
    assert.deepEqual(path, [
      "api POST",
      "api graphql mutation",
      "worker attempt",
      "worker attempt",
      "worker record succeed",
    ]);
    assert.equal(spansNamed("POST")[0]?.parentSpanId, "00f067aa0ba902b7");
    assert.equal(parentOf(spansNamed("record enqueue")[0])?.name, "graphql mutation");
    assert.deepEqual(
      spansNamed("attempt")
        .map(({ attributes }) => attributes["photos.outcome"])
        .toSorted(),
      ["retrying", "succeeded"],
    );
    assert.deepEqual(
      [
        ended.attributes["photos.job"],
        ended.attributes["photos.request.id"],
        ended.attributes["photos.queued_job.id"],
      ],
      ["echo", "traced-1", answer.data.enqueueJob.id],
    );
    assert.equal(spansNamed("task echo").length, 2);
    assert.equal(spansNamed("graphql mutation")[0]?.attributes["graphql.operation.name"], "Choose");
    for (const service of ["api", "worker"])
      assert.ok(
        spansNamed("publish").some((span) => span.service === `photo-service-${service}`),
        `no notification of the ${service}`,
      );
  });

  it("adds the trace's ids to the log lines of both processes", async () => {
    const [accepted, succeeded] = await Promise.all([
      line(bins.api, "accepted"),
      line(bins.worker, "succeeded"),
    ]);
    assert.deepEqual([accepted["trace_id"], succeeded["trace_id"]], [TRACE, TRACE]);
    assert.ok(
      receiver.spans.some(({ spanId }) => spanId === accepted["span_id"]) &&
        receiver.spans.some(({ spanId }) => spanId === succeeded["span_id"]),
    );
  });

  it("starts a new trace for a hint of the reconciler, with the request's id", async () => {
    const { sql } = database.database;
    const { id } = await person.enqueue(
      "echo",
      {},
      { runAt: new Date(Date.now() + 3_600_000).toISOString() },
    );
    await sql`update queued_jobs set due_at = now(), updated_at = now() - interval '1 minute'
        where id = ${id}`;
    await person.finished(id, 20_000);
    const attempt = await eventually("its span has come", () =>
      receiver.spans.find(
        ({ name, attributes }) => name === "attempt" && attributes["photos.queued_job.id"] === id,
      ),
    );
    const [row] = await sql<
      { requestId: string }[]
    >`select request_id as "requestId" from queued_jobs where id = ${id}`;
    assert.deepEqual(
      [attempt.parentSpanId, attempt.attributes["photos.request.id"]],
      ["", row?.requestId],
    );
  });

  it("sends no token, signature or submitted data, and omits health checks", async () => {
    const { json } = await person.upload(smallPhoto(), { type: "image/png" });
    const signed = new URL(String(json["url"]), person.url);
    assert.equal((await fetch(signed)).status, 200);
    await fetch(`${person.url}/health/ready`);
    await eventually("the download has come", () =>
      receiver.spans.some(({ attributes }) => attributes["url.path"] === signed.pathname),
    );
    const sent = receiver.bodies.join("\n");
    for (const secret of [
      person.token,
      signed.searchParams.get("sig") ?? "?",
      "private-words",
      "ann@example.test",
    ])
      assert.ok(!sent.includes(secret), `${secret} was sent`);
    assert.ok(!sent.includes("/health/"));
    assert.deepEqual([...receiver.paths], ["/v1/traces"]);
  });

  it("sends the remaining spans when a process ends", async () => {
    const bodiesBefore = receiver.bodies.length;
    await person.get("{ me { id } }");
    bins.api.child.kill("SIGTERM");
    assert.equal(await bins.api.ended, 0);
    assert.ok(receiver.bodies.length > bodiesBefore);
  });
});

/**
 * Returns the OpenTelemetry packages loaded by a process with the modules of API and worker, with
 * tracing on or off.
 */
async function packagesLoaded(otlpEndpoint: string | null): Promise<string[]> {
  const urlOf = (name: string) =>
    JSON.stringify(new URL(`../../src/app/${name}.js`, import.meta.url).href);
  const program = `
    import Module from "node:module";
    await import(${urlOf("create-api")});
    await import(${urlOf("create-worker")});
    const { startTracingIfWanted } = await import(${urlOf("prepare-process")});
    await startTracingIfWanted("api", ${JSON.stringify({ otlpEndpoint })});
    const packages = Object.keys(Module._cache).flatMap(
      (path) => /@opentelemetry\\/[\\w-]+/.exec(path) ?? [],
    );
    process.stdout.write(JSON.stringify([...new Set(packages)]));
    process.exit();`;
  return JSON.parse(
    (await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]))
      .stdout,
  ) as string[];
}

describe("a process without an endpoint", () => {
  it("loads only OpenTelemetry's interface, which the metrics library needs", async () => {
    const [withoutEndpoint, withEndpoint] = await Promise.all([
      packagesLoaded(null),
      packagesLoaded("http://127.0.0.1:9"),
    ]);
    assert.deepEqual(withoutEndpoint, ["@opentelemetry/api"]);
    for (const name of ["sdk-node", "instrumentation-http", "instrumentation-ioredis"])
      assert.ok(withEndpoint.includes(`@opentelemetry/${name}`), name);
  });
});
