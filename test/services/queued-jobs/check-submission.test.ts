import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { InputIssue } from "../../../src/domain/errors.js";
import {
  checkSubmission,
  toNewQueuedJob,
  type Submission,
} from "../../../src/services/queued-jobs/check-submission.js";
import { catalogue } from "../../../src/tasks/catalogue.js";
import type { Task } from "../../../src/tasks/define-task.js";
import { albumTask } from "../../support/service/album-task.js";
import { submissionOf } from "../../support/service/submission-of.js";

const ID = "0198f3a0-0000-7000-8000-00000000000a";
const DAY_MS = 24 * 3600 * 1000;

function check(submission: Partial<Submission>) {
  const job = submission.job ?? "echo";
  const task: Task | undefined = job === "album" ? albumTask : catalogue.get(job);
  return checkSubmission(submissionOf(submission), task ?? null);
}

/** Makes an object of the given depth. */
function nested(levels: number): Record<string, unknown> {
  return levels === 1 ? {} : { a: nested(levels - 1) };
}

const tooDeep = "must be at most 32 levels deep";
const tooLong = "must be at most 65536 bytes of JSON";
const notStorable = "must not contain NUL or half a surrogate pair";
const unknownJob = (name: string) => [
  { path: ["job"], message: `there is no Job "${name}" to submit; the query jobs lists them` },
];

const refused: { what: string; submission: Partial<Submission>; issues: InputIssue[] }[] = [
  { what: "an unknown Job", submission: { job: "nope" }, issues: unknownJob("nope") },
  { what: "a Job without a name", submission: { job: "" }, issues: unknownJob("") },
  {
    what: "an unknown Job with a very long name, which the message cuts",
    submission: { job: "x".repeat(5000) },
    issues: unknownJob("x".repeat(100)),
  },
  {
    what: "an unknown Job, without a check of its parameters and photos",
    submission: { job: "nope", parameters: { a: 1 }, photoIds: ["x"] },
    issues: unknownJob("nope"),
  },
  {
    what: "an unknown parameter",
    submission: { parameters: { durationMS: 1 } },
    issues: [{ path: ["parameters", "durationMS"], message: "is not a parameter of this Job" }],
  },
  {
    what: "each of several unknown parameters",
    submission: { parameters: { a: 1, b: 2 } },
    issues: [
      { path: ["parameters", "a"], message: "is not a parameter of this Job" },
      { path: ["parameters", "b"], message: "is not a parameter of this Job" },
    ],
  },
  {
    what: "a parameter of a wrong type",
    submission: { parameters: { durationMs: "1" } },
    issues: [{ path: ["parameters", "durationMs"], message: "must be a number" }],
  },
  {
    what: "a parameter out of its range",
    submission: { parameters: { durationMs: 600_001 } },
    issues: [{ path: ["parameters", "durationMs"], message: "must be 600000 or less" }],
  },
  {
    what: "a fault at a deep path",
    submission: { job: "thumbnail", photoIds: [ID], parameters: { widths: [320, 5] } },
    issues: [{ path: ["parameters", "widths", 1], message: "must be 16 or more" }],
  },
  {
    what: "parameters that are nested too deep",
    submission: { parameters: { message: nested(32) } },
    issues: [{ path: ["parameters"], message: tooDeep }],
  },
  {
    what: "parameters so deep that they would overflow the stack of a recursive reader",
    submission: { parameters: { message: JSON.parse("[".repeat(5000) + "]".repeat(5000)) } },
    issues: [{ path: ["parameters"], message: tooDeep }],
  },
  {
    what: "parameters over 64 KiB, counted in bytes",
    submission: { parameters: { message: "ü".repeat(32_762) } },
    issues: [{ path: ["parameters"], message: tooLong }],
  },
  {
    what: "NUL in a parameter",
    submission: { parameters: { message: ["a\0"] } },
    issues: [{ path: ["parameters"], message: notStorable }],
  },
  {
    what: "NUL in a key",
    submission: { parameters: { message: { "\0": 1 } } },
    issues: [{ path: ["parameters"], message: notStorable }],
  },
  {
    what: "a lone surrogate in a parameter",
    submission: { parameters: { message: "\ud83d" } },
    issues: [{ path: ["parameters"], message: notStorable }],
  },
  {
    what: "photos where the Job takes none",
    submission: { photoIds: [ID] },
    issues: [{ path: ["photoIds"], message: '"echo" takes no photos' }],
  },
  {
    what: "no photo where the Job needs one",
    submission: { job: "thumbnail" },
    issues: [{ path: ["photoIds"], message: '"thumbnail" takes 1 photo, but the list has 0' }],
  },
  {
    what: "too many photos, without a check of the others",
    submission: { job: "thumbnail", photoIds: [ID, "x"] },
    issues: [{ path: ["photoIds"], message: '"thumbnail" takes 1 photo, but the list has 2' }],
  },
  {
    what: "too many photos of a Job that takes several",
    submission: { job: "album", photoIds: [ID, ID, ID, ID] },
    issues: [{ path: ["photoIds"], message: '"album" takes 1 to 3 photos, but the list has 4' }],
  },
  {
    what: "each malformed id",
    submission: { job: "album", photoIds: ["", ID, `${ID} `] },
    issues: [
      { path: ["photoIds", 0], message: "is not an id: ids are UUIDs" },
      { path: ["photoIds", 2], message: "is not an id: ids are UUIDs" },
    ],
  },
  {
    what: "a priority under 0",
    submission: { priority: -1 },
    issues: [{ path: ["priority"], message: "must be 0 to 100" }],
  },
  {
    what: "a priority over 100",
    submission: { priority: 101 },
    issues: [{ path: ["priority"], message: "must be 0 to 100" }],
  },
  {
    what: "a run time more than a year ahead",
    submission: { runAt: new Date(Date.now() + 367 * DAY_MS) },
    issues: [{ path: ["runAt"], message: "must be within a year from now" }],
  },
  {
    what: "a run time before year 1, which PostgreSQL writes in another format",
    submission: { runAt: new Date("0000-12-31T23:59:59.999Z") },
    issues: [{ path: ["runAt"], message: "must not be before the year 1" }],
  },
  {
    what: "an empty key",
    submission: { idempotencyKey: "" },
    issues: [{ path: ["idempotencyKey"], message: "must have 1 to 200 characters" }],
  },
  {
    what: "a key over 200 characters",
    submission: { idempotencyKey: "k".repeat(201) },
    issues: [{ path: ["idempotencyKey"], message: "must have 1 to 200 characters" }],
  },
  {
    what: "NUL in a key of a submission",
    submission: { idempotencyKey: "a\0" },
    issues: [{ path: ["idempotencyKey"], message: notStorable }],
  },
  {
    what: "all faults at once",
    submission: {
      job: "thumbnail",
      parameters: { quality: 0, nope: 1 },
      photoIds: ["x"],
      priority: 1000,
      runAt: new Date(Date.now() + 400 * DAY_MS),
      idempotencyKey: "",
    },
    issues: [
      { path: ["parameters", "quality"], message: "must be 1 or more" },
      { path: ["parameters", "nope"], message: "is not a parameter of this Job" },
      { path: ["photoIds", 0], message: "is not an id: ids are UUIDs" },
      { path: ["priority"], message: "must be 0 to 100" },
      { path: ["runAt"], message: "must be within a year from now" },
      { path: ["idempotencyKey"], message: "must have 1 to 200 characters" },
    ],
  },
];

const taken: { what: string; submission: Partial<Submission> }[] = [
  { what: "32 levels", submission: { parameters: { message: nested(31) } } },
  {
    what: "exactly 64 KiB",
    submission: { parameters: { message: "x".repeat(65_536 - '{"message":""}'.length) } },
  },
  {
    what: "complete surrogate pairs",
    submission: { parameters: { message: "🙂" }, idempotencyKey: "🙂" },
  },
  { what: "priority 0 and 100", submission: { priority: 100 } },
  { what: "a run time a year ahead", submission: { runAt: new Date(Date.now() + 365 * DAY_MS) } },
  { what: "a run time that is long past", submission: { runAt: new Date("0001-01-01T00:00:00Z") } },
  { what: "a key of 200 characters", submission: { idempotencyKey: "k".repeat(200) } },
  {
    what: "the same photo twice, also in upper case",
    submission: { job: "album", photoIds: [ID, ID.toUpperCase()] },
  },
];

describe("checking a submission", () => {
  for (const { what, submission, issues } of refused)
    it(`refuses ${what}`, () => assert.deepEqual(check(submission).issues, issues));
  for (const { what, submission } of taken)
    it(`takes ${what}`, () => assert.deepEqual(check(submission).issues, []));

  it("returns the parameters with their defaults", () => {
    assert.deepEqual(check({ parameters: { message: 1 } }).parameters, {
      message: 1,
      durationMs: 0,
      steps: 0,
      failAttempts: 0,
      failPermanently: false,
    });
  });
});

describe("the row of a valid submission", () => {
  const make = (more: Partial<Submission> = {}, parameters = {}) =>
    toNewQueuedJob(submissionOf({ idempotencyKey: "key", ...more }), parameters);

  it("has an id that increases with time and contains the time of creation", () => {
    const rows = Array.from({ length: 1000 }, () => make());
    const ids = rows.map(({ id }) => id);
    assert.deepEqual(ids.toSorted(), ids);
    const [first] = rows;
    assert.ok(Math.abs(Date.parse(first?.createdAt ?? "") - Date.now()) < 10_000);
    assert.equal(
      first?.createdAt,
      new Date(Number.parseInt(first?.id.replace("-", "").slice(0, 12) ?? "", 16)).toISOString(),
    );
  });

  it("contains the ids of photos in lower case", () =>
    assert.deepEqual(make({ photoIds: [ID.toUpperCase()] }).photoIds, [ID]));

  it("has the same fingerprint with and without a request for fresh work", () =>
    assert.equal(make({ fresh: true }).fingerprint, make().fingerprint));

  it("has no fingerprint without a key", () =>
    assert.equal(make({ idempotencyKey: null }).fingerprint, null));

  it("has the same fingerprint for the same arguments in any order and spelling", () => {
    assert.equal(
      make({ photoIds: [ID] }, { a: 1, b: { c: 2, d: 3 } }).fingerprint,
      make({ photoIds: [ID.toUpperCase()], idempotencyKey: "other" }, { b: { d: 3, c: 2 }, a: 1 })
        .fingerprint,
    );
  });

  it("has another fingerprint when any argument differs", () => {
    const all = [
      make(),
      make({ job: "album" }),
      make({}, { a: 1 }),
      make({}, { a: "1" }),
      make({ photoIds: [ID] }),
      make({ photoIds: [ID, ID] }),
      make({ priority: 1 }),
      make({ runAt: new Date(0) }),
      make({ runAt: new Date(1) }),
    ];
    assert.equal(new Set(all.map(({ fingerprint }) => fingerprint)).size, all.length);
  });
});
