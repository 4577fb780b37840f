import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InvalidInputError } from "../../../../src/domain/errors.js";
import {
  checkGroup,
  type GroupSubmission,
} from "../../../../src/services/queued-jobs/groups/check-group.js";
import { catalogue } from "../../../../src/tasks/catalogue.js";
import { groupOf } from "../../../support/service/group-of.js";

const PHOTO = "0190a000-0000-7000-8000-000000000000";
const scrub = { job: "scrub", photoIds: [PHOTO] };
const tasks = new Map(catalogue);

const check = (submission: GroupSubmission) =>
  checkGroup(
    submission,
    submission.jobs.map(({ job }) => tasks.get(job) ?? null),
  );

function pathsOf(submission: GroupSubmission): string[] {
  try {
    check(submission);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.issues.map(({ path }) => path.join("."));
  }
}

describe("the check of a group", () => {
  it("gives ids that increase from predecessors to successors", () => {
    const { items } = check(groupOf({ last: ["middle"], middle: ["first"], first: [] }));
    const [last = "", middle = "", first = ""] = items.map(({ id }) => id);
    assert.ok(first < middle && middle < last);
    assert.deepEqual(
      items.map(({ member }) => [member?.groupPlace, member?.waitingFor]),
      [
        [0, 1],
        [1, 1],
        [2, 0],
      ],
    );
  });

  it("reports a cycle at an edge of it", () => {
    assert.deepEqual(pathsOf(groupOf({ a: ["c"], b: ["a"], c: ["b"], d: ["c"] })), [
      "jobs.1.after.0",
    ]);
    assert.deepEqual(pathsOf(groupOf({ a: ["a"] })), ["jobs.0.after.0"]);
  });

  it("reports unknown keys, empty keys and keys that occur twice", () => {
    const group = groupOf({ a: ["x"], b: { photosFrom: [{ key: "y", outputs: null }] }, "": [] });
    group.jobs = group.jobs.map((job) => (job.key === "b" ? { ...job, key: "a" } : job));
    assert.deepEqual(pathsOf(group).toSorted(), [
      "jobs.0.after.0",
      "jobs.1.key",
      "jobs.1.photosFrom.0.key",
      "jobs.2.key",
    ]);
  });

  it("counts the pictures of sources as photos", () => {
    const thumbnail = { job: "thumbnail", photoIds: [PHOTO] };
    const from = (key: string, outputs: string[] | null = null) => [{ key, outputs }];
    assert.deepEqual(
      pathsOf(
        groupOf({
          two: thumbnail,
          tooMany: { job: "scrub", photosFrom: from("two") },
          one: { job: "scrub", photosFrom: from("two", ["320w.webp"]) },
          sheet: { job: "contact-sheet", photosFrom: [...from("two"), ...from("one")] },
        }),
      ),
      ["jobs.1.photosFrom"],
    );
  });

  it("refuses a source that makes no pictures", () => {
    const group = groupOf({
      a: { job: "metadata", photoIds: [PHOTO] },
      b: { ...scrub, photoIds: [], photosFrom: [{ key: "a", outputs: null }] },
    });
    assert.deepEqual(pathsOf(group), ["jobs.1.photosFrom.0.key"]);
  });

  it("refuses 501 jobs and none", () => {
    const many = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`k${i}`, []]));
    assert.deepEqual([pathsOf(groupOf(many)), pathsOf(groupOf({}))], [["jobs"], ["jobs"]]);
  });

  it("reports all faults of all jobs at once, with paths inside the input", () => {
    const group = groupOf({
      a: { job: "scrub", photoIds: ["x"] },
      b: { priority: 101 },
      c: { job: "nope" },
      d: { job: "scrub", photosFrom: [{ key: "a", outputs: [] }] },
    });
    assert.deepEqual(pathsOf({ ...group, name: "", idempotencyKey: "" }), [
      "name",
      "idempotencyKey",
      "jobs.0.photoIds.0",
      "jobs.1.priority",
      "jobs.2.job",
      "jobs.3.photosFrom.0.outputs",
    ]);
  });
});
