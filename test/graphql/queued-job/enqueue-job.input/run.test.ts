import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestClient } from "../../../support/clients/test-client.js";
import { assertRefused } from "../../../support/asserts/assert-refused.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { smallPhoto } from "../../../support/service/small-photo.js";

const ONE =
  "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id job { name } parameters } }";
const MANY = "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }";
/** An operation of this many uses is executed by compiled code. */
const USES_BEFORE_COMPILED = 12;

describe("EnqueueJobInput.run", () => {
  let service: TestService;
  let person: TestClient;
  let photoId: string;
  before(async () => {
    service = await startTestService({ workers: 0, env: { DISABLED_JOBS: "crop" } });
    person = await service.person();
    photoId = String((await person.upload(smallPhoto(), { type: "image/png" })).json["id"]);
  });
  after(() => service.close());

  const issuesOf = async (input: object): Promise<unknown> => {
    const { errors } = await person.ask(ONE, { input });
    assert.equal(errors?.[0]?.extensions.code, "BAD_USER_INPUT");
    return errors[0].extensions.issues?.map(({ path, message }) => [path.join("."), message]);
  };

  it("submits the Job of its field with typed parameters", async () => {
    const input = { run: { thumbnail: { widths: [64], format: "png" } }, photoIds: [photoId] };
    const { enqueueJob } = await person.get(ONE, { input });
    assert.deepEqual(enqueueJob.job, { name: "thumbnail" });
    assert.deepEqual(enqueueJob.parameters, { widths: [64], format: "png" });
  });

  it("is the same work as `job` with equal parameters", async () => {
    const common = { photoIds: [photoId], idempotencyKey: "the same" };
    const first = await person.get(ONE, {
      input: { ...common, job: "thumbnail", parameters: { widths: [64] } },
    });
    const second = await person.get(ONE, {
      input: { ...common, run: { thumbnail: { widths: [64], quality: null } } },
    });
    assert.equal(first.enqueueJob.id, second.enqueueJob.id);
  });

  it("reports faults of parameters at their path inside `run`", async () => {
    const run = { thumbnail: { widths: [64, 5] } };
    assert.deepEqual(await issuesOf({ run, photoIds: [photoId] }), [
      ["run.thumbnail.widths.1", "must be 16 or more"],
    ]);
    const { errors } = await person.ask(MANY, { inputs: [{ job: "echo" }, { run }] });
    assert.deepEqual(
      errors?.[0]?.extensions.issues?.map(({ path }) => path.join(".")),
      ["1.run.thumbnail.widths.1", "1.photoIds"],
    );
  });

  it("rejects both or neither of `job` and `run`, and `parameters` beside `run`", async () => {
    const run = { echo: {} };
    const paths = async (input: object) =>
      ((await issuesOf(input)) as [string, string][]).map(([path]) => path);
    assert.deepEqual(await paths({}), ["run"]);
    assert.deepEqual(await paths({ job: "echo", run }), ["run"]);
    assert.deepEqual(await paths({ run, parameters: {} }), ["run"]);
  });

  it("rejects a disabled Job at its field", async () => {
    const issues = await issuesOf({ run: { crop: {} }, photoIds: [photoId] });
    assert.deepEqual((issues as [string, string][])[0]?.[0], "run.crop");
  });

  it("accepts null only in the placeholder field of a Job without parameters", async () => {
    const photoIds = [photoId];
    for (const placeholder of [{}, { _: null }])
      assert.deepEqual(
        (await person.get(ONE, { input: { run: { placeholder }, photoIds } })).enqueueJob.job,
        { name: "placeholder" },
      );
    assert.deepEqual(await issuesOf({ run: { placeholder: { _: true } }, photoIds }), [
      ["run.placeholder._", "is not a parameter of this Job"],
    ]);
  });

  it("rejects two Jobs, no Job and an unknown parameter, also by compiled code", async () => {
    const inputs = [{ run: {} }, { run: { echo: {}, hash: {} } }, { run: { echo: { no: 1 } } }];
    for (let i = 0; i < USES_BEFORE_COMPILED; i++) {
      for (const input of inputs) {
        const { data, errors } = await person.ask(ONE, { input });
        assert.equal(data ?? null, null);
        assertRefused(errors, "BAD_USER_INPUT", /./);
      }
      await person.get(ONE, { input: { run: { echo: {} } } });
    }
  });
});
