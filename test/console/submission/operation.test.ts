import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  buildOperation,
  countJobs,
  maxPhotosOf,
  type FilledForm,
} from "../../../src/console/submission/operation.js";
import { recipesOf } from "../../../src/console/submission/recipes.js";
import type { Job } from "../../../src/console/types.js";

const thumbnail = { name: "thumbnail", title: "Thumbnails", minPhotos: 1, maxPhotos: 1 } as Job;
const archive = { ...thumbnail, name: "archive", title: "Archive", maxPhotos: 500 };
const FORM: FilledForm = {
  job: thumbnail,
  fields: [],
  texts: {},
  photoIds: ["a"],
  priority: "",
  runAt: "",
  fresh: false,
  key: "key",
};
const inputOf = (form: Partial<FilledForm>): unknown =>
  (buildOperation({ ...FORM, ...form }).variables as { input: unknown }).input;

describe("the operation of the form", () => {
  it("submits one QueuedJob for one photo, and for a Job that takes several", () => {
    assert.deepEqual(inputOf({}), { job: "thumbnail", photoIds: ["a"], idempotencyKey: "key" });
    assert.deepEqual(inputOf({ job: archive, photoIds: ["a", "b"], priority: "7" }), {
      job: "archive",
      photoIds: ["a", "b"],
      priority: 7,
      idempotencyKey: "key",
    });
  });

  it("submits one group for several photos, with a job for each", () => {
    const work = { job: "thumbnail", fresh: true };
    assert.deepEqual(inputOf({ photoIds: ["a", "b"], fresh: true }), {
      name: "Thumbnails on 2 photos",
      jobs: [
        { key: "1-thumbnail", ...work, photoIds: ["a"] },
        { key: "2-thumbnail", ...work, photoIds: ["b"] },
      ],
      idempotencyKey: "key",
    });
  });

  it("counts the jobs, none while photos are missing", () => {
    assert.deepEqual(
      [0, 1, 501].map((photos) => countJobs(thumbnail, photos)),
      [0, 1, 501],
    );
    assert.equal(countJobs(archive, 300), 1);
    assert.deepEqual([maxPhotosOf(thumbnail), maxPhotosOf(archive)], [500, 500]);
  });

  it("submits a recipe as a group, also for one photo, in which each step takes the one before", () => {
    const jobs = ["scrub", "watermark", "thumbnail", "archive"].map((name) => ({
      ...thumbnail,
      name,
    }));
    assert.deepEqual(recipesOf(jobs.slice(1)), [], "a Job of it is disabled");
    const [job] = recipesOf(jobs);
    assert.ok(job);
    const { jobs: steps } = inputOf({ job }) as { jobs: object[] };
    assert.deepEqual(steps, [
      { key: "1-scrub", job: "scrub", photoIds: ["a"] },
      { key: "1-watermark", job: "watermark", parameters: {}, photosFrom: [{ key: "1-scrub" }] },
      {
        key: "1-thumbnail",
        job: "thumbnail",
        parameters: { widths: [1600], format: "jpeg" },
        photosFrom: [{ key: "1-watermark" }],
      },
      { key: "archive", job: "archive", photosFrom: [{ key: "1-thumbnail" }] },
    ]);
    assert.equal(maxPhotosOf(job), 166);
    assert.equal(countJobs(job, 166), 499);
  });
});
