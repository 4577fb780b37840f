import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const ONE =
  "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id status priority " +
  "runAt parameters photos { id } } }";
const MANY =
  "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id parameters } }";
const HOUR_MS = 3_600_000;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

describe("enqueueJob and enqueueJobs", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({ workers: 0, env: { MAX_PENDING_PER_USER: "200" } });
    person = await service.person();
  });
  after(() => service.close());

  const unfinished = async (client: TestClient): Promise<number> =>
    (await client.get("{ me { limits { unfinished } } }")).me.limits.unfinished;

  it("report all errors of all submissions at once, and accept none", async () => {
    const countBefore = await unfinished(person);
    const { errors } = await person.ask(MANY, {
      inputs: [
        { job: "echo" },
        { job: "echo", priority: 999, parameters: { steps: -1, no: 1 } },
        { job: "nope" },
      ],
    });
    assert.deepEqual(errors?.[0]?.extensions.issues?.map(({ path }) => path.join(".")).toSorted(), [
      "1.parameters.no",
      "1.parameters.steps",
      "1.priority",
      "2.job",
    ]);
    assert.equal(await unfinished(person), countBefore);
  });

  it("accept 1 to 100 submissions, in their order", async () => {
    for (const n of [0, 101])
      assertRefused(
        (await person.ask(MANY, { inputs: Array.from({ length: n }, () => ({ job: "echo" })) }))
          .errors,
        "BAD_USER_INPUT",
        `inputs: must have 1 to 100 entries; got ${n}`,
        ["inputs"],
      );
    const one = await service.person();
    const { enqueueJobs } = await one.get(MANY, {
      inputs: Array.from({ length: 100 }, (_, message) => ({
        job: "echo",
        parameters: { message },
      })),
    });
    assert.deepEqual(
      enqueueJobs.map(({ parameters }: { parameters: { message: number } }) => parameters.message),
      Array.from({ length: 100 }, (_, i) => i),
    );
    assert.equal(await unfinished(one), 100);
  });

  it("accept omitted and null fields, and values at their bounds", async () => {
    const photo = String((await person.upload(smallPhoto(), { type: "image/png" })).json["id"]);
    for (const input of [
      { job: "echo" },
      {
        job: "echo",
        parameters: null,
        photoIds: null,
        priority: null,
        runAt: null,
        idempotencyKey: null,
        fresh: null,
      },
    ]) {
      const { enqueueJob } = await person.get(ONE, { input });
      assert.deepEqual(
        { ...enqueueJob, id: 0 },
        {
          id: 0,
          status: "PENDING",
          priority: 0,
          runAt: null,
          parameters: { durationMs: 0, steps: 0, failAttempts: 0, failPermanently: false },
          photos: [],
        },
      );
    }
    const runAt = inMs(364 * 24 * HOUR_MS);
    const { enqueueJob } = await person.get(ONE, {
      input: {
        job: "metadata",
        priority: 100,
        runAt,
        idempotencyKey: "k".repeat(200),
        photoIds: [photo.toUpperCase()],
        fresh: true,
      },
    });
    assert.deepEqual(
      [enqueueJob.priority, enqueueJob.runAt, enqueueJob.photos],
      [100, runAt, [{ id: photo }]],
    );
    const past = "2001-02-03T04:05:06.789Z";
    assert.equal(
      (await person.get(ONE, { input: { job: "echo", runAt: past } })).enqueueJob.runAt,
      past,
    );
  });

  it("refuse another user's photo, also to admins", async () => {
    const photo = (await (await service.person()).upload(smallPhoto(), { type: "image/png" })).json[
      "id"
    ];
    for (const one of [person, await service.admin()])
      assertRefused(
        (await one.ask(ONE, { input: { job: "metadata", photoIds: [photo] } })).errors,
        "BAD_USER_INPUT",
        "photoIds.0: is not a photo of yours",
        ["photoIds", 0],
      );
  });

  it("return the first one for the same key, and refuse the key with other arguments", async () => {
    const input = {
      job: "echo",
      parameters: { message: { b: 1, a: 2 } },
      idempotencyKey: "once",
    };
    const { id } = (await person.get(ONE, { input })).enqueueJob;
    assert.equal(
      (
        await person.get(ONE, {
          input: { ...input, parameters: { steps: 0, message: { a: 2, b: 1 } } },
        })
      ).enqueueJob.id,
      id,
    );
    for (const other of [
      { parameters: { message: 1 } },
      { priority: 1 },
      { runAt: inMs(HOUR_MS) },
    ]) {
      assertRefused(
        (await person.ask(ONE, { input: { ...input, ...other } })).errors,
        "IDEMPOTENCY_CONFLICT",
        'The idempotency key "once" was used with other arguments; use a new key.',
      );
    }
    assert.notEqual((await (await service.person()).get(ONE, { input })).enqueueJob.id, id);
  });

  it("refuse all submissions above the quota, with a time to retry", async () => {
    const one = await service.person();
    const inputs = Array.from({ length: 100 }, () => ({ job: "echo" }));
    await one.get(MANY, { inputs });
    await one.get(MANY, { inputs: inputs.slice(1) });
    const { errors } = await one.ask(MANY, { inputs: inputs.slice(0, 2) });
    assertRefused(
      errors,
      "QUOTA_EXCEEDED",
      "Quota exceeded: at most 200 unfinished QueuedJobs per user; wait until some finish.",
    );
    assert.equal(errors?.[0]?.extensions.retryAfterMs, 5000);
    assert.equal(await unfinished(one), 199);
    await one.get(ONE, { input: { job: "echo" } });
    assertRefused(
      (await one.ask(ONE, { input: { job: "echo" } })).errors,
      "QUOTA_EXCEEDED",
      /^Quota exceeded: at most 200 unfinished/,
    );
  });
});
