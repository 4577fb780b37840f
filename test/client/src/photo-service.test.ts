import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  createPhotoService,
  ConflictError,
  InvalidInputError,
  isJob,
  NotFoundError,
  QuotaExceededError,
  TokenError,
  UnauthenticatedError,
  UnreachableError,
  type QueuedJob,
} from "../../../client/src/index.js";
import { eventually } from "../../support/runner/eventually.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { clientOf, proxiedClientOf } from "../client-of.js";

describe("the client package", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({
      env: { MAX_PENDING_PER_USER: "3", MAX_SOCKETS_PER_USER: "1" },
    });
  });
  after(() => service?.close());

  const open = async () => clientOf({ url: service.url, token: await service.token() });

  it("runs a Job on a photo, typed by its name, and fetches the result", async (t) => {
    const { client } = await open();
    t.after(() => client.close());
    const photo = await client.upload(new Blob([smallPhoto(40, 30)]));
    const queuedJob = await client.run("thumbnail", { widths: [20] }, [photo]);
    assert.equal(queuedJob.photos[0]?.id, photo.id);
    const { result, outputs, status } = await client.finished(queuedJob);
    assert.equal(status, "SUCCESS");
    // The result has the type of the Job.
    assert.deepEqual(
      result?.variants.map(({ width, height }) => [width, height]),
      [[20, 15]],
    );
    const [output] = outputs;
    assert.equal((await fetch(output?.url ?? "")).headers.get("content-type"), "image/webp");
  });

  it("refuses wrong parameters and misspelt results when it is compiled", async () => {
    const calls = [
      (client: Awaited<ReturnType<typeof open>>["client"], job: QueuedJob<"thumbnail">) => [
        // @ts-expect-error -- the parameter is called `widths`
        client.run("thumbnail", { width: 320 }),
        // @ts-expect-error -- a width is a number
        client.run("thumbnail", { widths: ["320"] }),
        // @ts-expect-error -- the Job is called `thumbnail`
        client.run("thumbnails", {}),
        // @ts-expect-error -- `text` is required
        client.run("watermark", {}),
        // @ts-expect-error -- the field is called `variants`
        job.result?.variant,
        // @ts-expect-error -- the result may be null
        job.result.variants,
      ],
    ];
    assert.equal(calls.length, 1);
    const job = { job: { name: "hash" } } as QueuedJob;
    assert.ok(isJob(job, "hash") && !isJob(job, "crop"));
  });

  it("submits once when the answer is lost", async (t) => {
    const { client, proxy, person } = await proxiedClientOf(t, service);
    let cuts = 0;
    proxy.cutReplies(() => {
      cuts++;
      if (cuts > 1) proxy.heal();
      return cuts > 1 ? Infinity : 1;
    });
    const { id } = await client.run("echo", { message: "once" });
    assert.ok(cuts > 1, "an answer was cut");
    const { queuedJobs } = await person.get("{ queuedJobs { nodes { id } } }");
    assert.deepEqual(queuedJobs.nodes, [{ id }]);
  });

  it("throws errors as classes, with issues and the time to wait", async (t) => {
    const { client } = await open();
    t.after(() => client.close());
    const parameters = { durationMs: -1, steps: 2000 };
    await assert.rejects(client.run("echo", parameters), (error) => {
      assert.ok(error instanceof InvalidInputError);
      assert.deepEqual(
        error.issues.map(({ path }) => path),
        [
          ["parameters", "durationMs"],
          ["parameters", "steps"],
        ],
      );
      return true;
    });
    const job = await client.finished(await client.run("echo", {}));
    await assert.rejects(client.cancel(job), ConflictError);
    await assert.rejects(client.cancel("018f0000-0000-7000-8000-000000000000"), NotFoundError);
    await client.delete(job);
    await assert.rejects(client.delete(job), NotFoundError);

    const waiting = await Promise.all(
      Array.from({ length: 3 }, () => client.run("echo", { durationMs: 600_000 })),
    );
    await assert.rejects(
      client.run("echo", {}, [], { retryForMs: 0 }),
      (error) => error instanceof QuotaExceededError && (error.retryAfterMs ?? 0) > 0,
    );
    // With time to wait, the call succeeds as soon as there is room.
    const late = client.run("echo", {}, [], { retryForMs: 120_000 });
    await Promise.all(waiting.map((one) => client.cancel(one)));
    assert.equal((await client.finished(await late)).status, "SUCCESS");
    const [first] = waiting;
    assert.ok(first);
    assert.equal((await client.retry(first)).status, "PENDING");
    await client.cancel(first);
  });

  it("asks the token function before each call, and once more when the token is refused", async (t) => {
    const expired = await service.token({ sub: "sleeper" }, { expiresIn: -60 });
    const fresh = await service.token({ sub: "sleeper" });
    const given: string[] = [];
    const { client } = clientOf({
      url: service.url,
      token: async () => {
        const token = given.length === 0 ? expired : fresh;
        given.push(token);
        return token;
      },
    });
    t.after(() => client.close());
    assert.equal((await client.run("echo", {})).job.name, "echo");
    assert.deepEqual(given, [expired, fresh]);
  });

  it("throws what is wrong with the token or the address", async (t) => {
    const failing = clientOf({
      url: service.url,
      token: () => Promise.reject(new Error("signed out")),
    });
    const refused = clientOf({ url: service.url, token: "not a token" });
    const away = clientOf({ url: "http://127.0.0.1:9", token: "any", retryForMs: 0 });
    t.after(() => [failing, refused, away].forEach(({ client }) => client.close()));
    await assert.rejects(
      failing.client.run("echo", {}),
      (error) => error instanceof TokenError && /signed out/.test(error.message),
    );
    await assert.rejects(refused.client.run("echo", {}), UnauthenticatedError);
    await assert.rejects(away.client.run("echo", {}), UnreachableError);
    assert.throws(() => createPhotoService({ url: "nowhere", token: "any" }), TypeError);
  });

  it("follows with fields of the caller's choice, once the user has room for it", async (t) => {
    const person = await service.person();
    const { client } = clientOf({ url: service.url, token: person.token });
    const { client: second } = clientOf({ url: service.url, token: person.token });
    t.after(() => [client, second].forEach((one) => one.close()));
    const list = client.jobs();
    list.subscribe(() => {});
    await eventually("the list is live", () => list.getSnapshot().isLive);
    const { queuedJobs } = await person.get("{ queuedJobs { eventCursor } }");
    const states: (string | null)[] = [];
    const versions: number[] = [];
    const stop = new AbortController();
    const following = second.follow<{ cursor: string; queuedJob: { version: number } }>(
      "subscription ($after: String) " +
        "{ queuedJobEvents(after: $after) { cursor queuedJob { version } } }",
      {
        after: queuedJobs.eventCursor,
        signal: stop.signal,
        onState: (error) => states.push(error?.code ?? null),
        onEvent: ({ queuedJob }) => versions.push(queuedJob.version),
      },
    );
    await eventually("the second connection is refused", () => states[0] === "QUOTA_EXCEEDED");
    client.close();
    await person.finished((await person.enqueue("echo")).id);
    await eventually("it has caught up", () => versions.length === 3);
    assert.deepEqual([versions, states.at(-1)], [[1, 2, 3], null]);
    stop.abort();
    await following;
  });

  it("ends everything with close()", async () => {
    const { client } = await open();
    const job = await client.run("echo", { durationMs: 600_000 });
    const watching = assert.rejects(client.finished(job), { code: "CLOSED" });
    const list = client.jobs();
    list.subscribe(() => {});
    await eventually("the list is live", () => list.getSnapshot().isLive);
    client.close();
    await watching;
    await assert.rejects(client.run("echo", {}), { code: "CLOSED" });
    await eventually("the list has ended", () => list.getSnapshot().error?.code === "CLOSED");
  });
});
