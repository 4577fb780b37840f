import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { z } from "zod";
import { renderJobTypes } from "../../../client/build/job-types.js";
import { catalogue } from "../../../src/tasks/catalogue.js";

describe("the types of the Jobs", () => {
  it("in the package are those of the tasks; npm run build:client renews them", async () => {
    assert.equal(
      readFileSync("client/src/generated/jobs.ts", "utf8"),
      await renderJobTypes(catalogue.values()),
    );
  });

  it("follow from the schemas of a new task alone", async () => {
    const text = await renderJobTypes([
      {
        name: "throw-away",
        description: "Does nothing.",
        parameters: z.strictObject({
          mode: z.enum(["fast", "exact"]).default("fast").describe("How it works."),
          sizes: z.array(z.union([z.int(), z.literal("all")])).optional(),
          extra: z.json(),
        }),
        result: z.object({
          place: z.object({ left: z.number().nullable() }),
          tags: z.record(z.string(), z.boolean()),
        }),
      },
    ]);
    assert.match(
      text,
      /"throw-away": \{ parameters: ThrowAwayParameters; result: ThrowAwayResult \};/,
    );
    assert.match(text, /\/\*\* How it works\. \*\/\n {2}mode\?: "fast" \| "exact";/);
    assert.match(text, /sizes\?: \(number \| "all"\)\[\];/);
    assert.match(text, /left: number \| null;/);
    assert.match(text, /\[key: string\]: boolean;/);
  });
});
