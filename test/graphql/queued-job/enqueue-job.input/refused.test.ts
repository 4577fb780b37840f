import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../../support/asserts/assert-refused.js";
import { BROKEN_IDS, idOfNothing } from "../../../support/asserts/broken-ids.js";
import type { TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

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

  const REFUSED: [string, object, string | RegExp, (string | number)[]][] = [
    [
      "an unknown Job",
      { job: "no-such-job" },
      'job: there is no Job "no-such-job" to submit; the query jobs lists them',
      ["job"],
    ],
    [
      "an empty Job",
      { job: "" },
      'job: there is no Job "" to submit; the query jobs lists them',
      ["job"],
    ],
    ["a Job in other letters", { job: "Echo" }, /^job: there is no Job "Echo"/, ["job"]],
    [
      "a parameter out of range",
      { job: "echo", parameters: { durationMs: -1 } },
      /^parameters\.durationMs: /,
      ["parameters", "durationMs"],
    ],
    [
      "a parameter of another type",
      { job: "echo", parameters: { steps: "3" } },
      /^parameters\.steps: /,
      ["parameters", "steps"],
    ],
    [
      "an unknown parameter",
      { job: "echo", parameters: { no: 1 } },
      "parameters.no: is not a parameter of this Job",
      ["parameters", "no"],
    ],
    [
      "parameters over 64 KiB",
      { job: "echo", parameters: { message: "x".repeat(65_536) } },
      "parameters: must be at most 65536 bytes of JSON",
      ["parameters"],
    ],
    [
      "a NUL in the parameters",
      { job: "echo", parameters: { message: "a\0b" } },
      "parameters: must not contain NUL or half a surrogate pair",
      ["parameters"],
    ],
    [
      "half a surrogate pair",
      { job: "echo", parameters: { message: "\ud800" } },
      "parameters: must not contain NUL or half a surrogate pair",
      ["parameters"],
    ],
    [
      "photos for a Job without photos",
      { job: "echo", photoIds: [idOfNothing()] },
      'photoIds: "echo" takes no photos',
      ["photoIds"],
    ],
    [
      "a missing photo",
      { job: "metadata" },
      'photoIds: "metadata" takes 1 photo, but the list has 0',
      ["photoIds"],
    ],
    [
      "too many photos",
      { job: "metadata", photoIds: [idOfNothing(), idOfNothing()] },
      'photoIds: "metadata" takes 1 photo, but the list has 2',
      ["photoIds"],
    ],
    [
      "an unknown photo",
      { job: "metadata", photoIds: [idOfNothing()] },
      "photoIds.0: is not a photo of yours",
      ["photoIds", 0],
    ],
    ...BROKEN_IDS.map((id): [string, object, string, (string | number)[]] => [
      `the invalid photo id "${id}"`,
      { job: "metadata", photoIds: [id] },
      "photoIds.0: is not an id: ids are UUIDs",
      ["photoIds", 0],
    ]),
    [
      "a priority under 0",
      { job: "echo", priority: -1 },
      "priority: must be 0 to 100",
      ["priority"],
    ],
    [
      "a priority over 100",
      { job: "echo", priority: 101 },
      "priority: must be 0 to 100",
      ["priority"],
    ],
    [
      "a time over a year ahead",
      { job: "echo", runAt: inMs(367 * 24 * HOUR_MS) },
      "runAt: must be within a year from now",
      ["runAt"],
    ],
    [
      "an empty key",
      { job: "echo", idempotencyKey: "" },
      "idempotencyKey: must have 1 to 200 characters",
      ["idempotencyKey"],
    ],
    [
      "a key of 201 characters",
      { job: "echo", idempotencyKey: "x".repeat(201) },
      "idempotencyKey: must have 1 to 200 characters",
      ["idempotencyKey"],
    ],
  ];
  for (const [what, input, message, path] of REFUSED) {
    it(`refuse ${what}, alone and among others`, async () => {
      assertRefused((await person.ask(ONE, { input })).errors, "BAD_USER_INPUT", message, path);
      const { errors } = await person.ask(MANY, { inputs: [{ job: "echo" }, input] });
      assertRefused(
        errors,
        "BAD_USER_INPUT",
        typeof message === "string"
          ? `1.${message}`
          : new RegExp(`^1\\.${message.source.slice(1)}`),
        [1, ...path],
      );
    });
  }

  const MISFITS: [string, object, RegExp, (string | number)[]][] = [
    [
      "a priority that is not an integer",
      { job: "echo", priority: 1.5 },
      /Int cannot represent non-integer value: 1\.5/,
      ["priority"],
    ],
    [
      "an invalid time",
      { job: "echo", runAt: "tomorrow" },
      /DateTime cannot represent an invalid date-time-string tomorrow/,
      ["runAt"],
    ],
    [
      "parameters that are not an object",
      { job: "echo", parameters: [1] },
      /JSONObject cannot represent non-object value/,
      ["parameters"],
    ],
    [
      "an id that is null",
      { job: "metadata", photoIds: [null] },
      /Expected non-nullable type "ID!" not to be null/,
      ["photoIds", 0],
    ],
    [
      "an unknown field",
      { job: "echo", colour: "red" },
      /Field "colour" is not defined by type "EnqueueJobInput"/,
      [],
    ],
  ];
  for (const [what, input, message, path] of MISFITS) {
    it(`refuse ${what} with its path`, async () => {
      const one = await person.ask(ONE, { input });
      assertRefused(one.errors, "BAD_USER_INPUT", message, path);
      assert.equal(one.status, 400);
      assertRefused(
        (await person.ask(MANY, { inputs: [{ job: "echo" }, input] })).errors,
        "BAD_USER_INPUT",
        message,
        [1, ...path],
      );
    });
  }
});
