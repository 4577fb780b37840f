import assert from "node:assert/strict";
import { it } from "node:test";
import { graphql } from "graphql";
import { createSchema } from "../../../src/graphql/schema.js";
import { createTypedJobs } from "../../../src/graphql/typed-jobs/typed-jobs.js";
import { catalogue } from "../../../src/tasks/catalogue.js";

it("service returns the version, the start time and the revision if it is known", async () => {
  const schema = await createSchema(createTypedJobs(catalogue.values()));
  for (const revision of ["0123abc", null]) {
    const contextValue = {
      info: { version: "1.2.3", revision, startedAt: new Date("2026-11-24T12:00:00Z") },
    };
    const { data } = await graphql({
      schema,
      source: "{ service { version revision startedAt } }",
      contextValue,
    });
    assert.equal(
      JSON.stringify(data),
      JSON.stringify({
        service: { version: "1.2.3", revision, startedAt: "2026-11-24T12:00:00.000Z" },
      }),
    );
  }
});
