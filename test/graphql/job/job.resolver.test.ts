import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { catalogue } from "../../../src/tasks/catalogue.js";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const FIELDS =
  "id name title description parameterSchema resultSchema minPhotos maxPhotos " +
  "maxAttempts timeoutMs enabled";

describe("job and jobs", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: { DISABLED_JOBS: "placeholder, no-such-job" },
    });
    person = await service.person();
  });
  after(() => service.close());

  it("list all Jobs by name, each with the fields that a form needs", async () => {
    const { jobs } = await person.get(`{ jobs { nodes { ${FIELDS} } totalCount } }`);
    assert.deepEqual(
      jobs.nodes.map(({ name }: { name: string }) => name),
      [...catalogue.keys()].toSorted(),
    );
    assert.equal(jobs.totalCount, catalogue.size);
    for (const job of jobs.nodes) {
      assert.equal(job.id, job.name);
      assert.equal(
        job.parameterSchema.$schema,
        "https://json-schema.org/draft/2020-12/schema",
        job.name,
      );
      assert.equal(job.parameterSchema.type, "object", job.name);
      assert.ok(
        job.title &&
          job.description &&
          job.resultSchema.type === "object" &&
          job.maxAttempts >= 1 &&
          job.timeoutMs > 0 &&
          job.minPhotos <= job.maxPhotos,
        job.name,
      );
    }
  });

  it("return a Job by its name, or null", async () => {
    const { job, none } = await person.get(
      `{ job(name: "echo") { ${FIELDS} } none: job(name: "Echo") { id } }`,
    );
    assert.deepEqual(
      [job.id, job.enabled, job.maxPhotos, Object.keys(job.parameterSchema.properties).toSorted()],
      ["echo", true, 0, ["durationMs", "failAttempts", "failPermanently", "message", "steps"]],
    );
    assert.equal(none, null);
  });

  it("refuse an empty name", async () => {
    assertRefused(
      (await person.ask('{ job(name: "") { id } }')).errors,
      "BAD_USER_INPUT",
      "name: must not be empty",
      ["name"],
    );
  });

  it("show a disabled Job as such, and refuse to submit it", async () => {
    const { job } = await person.get('{ job(name: "placeholder") { enabled } }');
    assert.equal(job.enabled, false);
    assertRefused(
      (await person.ask('mutation { enqueueJob(input: { job: "placeholder" }) { id } }')).errors,
      "BAD_USER_INPUT",
      'job: there is no Job "placeholder" to submit; the query jobs lists them',
      ["job"],
    );
  });

  it("disable echo in production by default", async () => {
    const production = await startTestService({ workers: 0, env: { ECHO: "" } });
    try {
      const user = await production.person();
      assert.deepEqual(
        await user.get(
          '{ job(name: "echo") { enabled } other: job(name: "placeholder") { enabled } }',
        ),
        { job: { enabled: false }, other: { enabled: true } },
      );
      assertRefused(
        (await user.ask('mutation { enqueueJob(input: { job: "echo" }) { id } }')).errors,
        "BAD_USER_INPUT",
        'job: there is no Job "echo" to submit; the query jobs lists them',
        ["job"],
      );
    } finally {
      await production.close();
    }
  });
});
