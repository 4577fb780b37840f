import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GroupMember, JobGroup } from "../../client/src/groups/index.js";
import { renderTree } from "../../src/demo/group-tree.js";

const GROUP = { name: "pipeline", progress: 0.5, total: 5, succeeded: 2, failed: 1, cancelled: 0 };

function member(key: string, status: string, more: object = {}): GroupMember {
  return { key, status, progress: 0, waitingFor: 0, error: null, ...more } as GroupMember;
}

function render(jobs: GroupMember[], height: number, photos = ["beach.jpg", "a.jpg"]): string[] {
  return renderTree(GROUP as JobGroup, jobs, { photos, height });
}

describe("the tree of a group", () => {
  it("has a line for each photo with its steps, and one for a job that joins them", () => {
    const jobs = [
      member("1-scrub", "SUCCESS"),
      member("2-scrub", "FAILED", { error: { message: "It is damaged." } }),
      member("1-thumbnail", "STARTED", { progress: 0.4 }),
      member("2-thumbnail", "CANCELLED"),
      member("archive", "PENDING", { waitingFor: 2 }),
    ];
    assert.deepEqual(render(jobs, 10), [
      "pipeline  ████████████░░░░░░░░░░░░ 50 %  2 of 5 jobs succeeded, 1 failed, 0 cancelled",
      "├─ beach.jpg   scrub ✓ → thumbnail 40 %",
      "├─ a.jpg       scrub ✗ It is damaged. → thumbnail cancelled",
      "└─ all photos  archive waits for 2",
    ]);
  });

  it("leaves out photos that are done when the terminal is too low for all", () => {
    const photos = ["a", "b", "c", "d"];
    const jobs = photos.map((_, i) => member(`${i + 1}-scrub`, i < 2 ? "SUCCESS" : "PENDING"));
    assert.deepEqual(render(jobs, 3, photos).slice(1), [
      "├─ c  scrub ·",
      "├─ d  scrub ·",
      "└─ … and 2 more",
    ]);
  });
});
