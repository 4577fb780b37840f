import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JobGroup } from "../../../client/src/groups/index.js";
import { createJobGroups } from "../../../src/console/jobs/job-groups.js";
import type { QueuedJobEvent } from "../../../src/console/types.js";

const group = (succeeded: number, progress = succeeded / 4): JobGroup =>
  ({ id: "g", total: 4, succeeded, progress }) as JobGroup;
const event = (type: QueuedJobEvent["type"], of: JobGroup): QueuedJobEvent =>
  ({ type, queuedJob: { group: of } }) as QueuedJobEvent;

describe("the groups of the page", () => {
  it("show the counts of the latest event, not those of an answer that arrives after it", () => {
    const groups = createJobGroups();
    const shown = () => {
      const { succeeded, progress } = groups.get("g")?.value ?? {};
      return [succeeded, progress];
    };
    groups.keep(group(0));
    groups.apply(event("SUCCEEDED", group(2)));
    groups.keep(group(1));
    assert.deepEqual(shown(), [2, 0.5]);
    // Its counts can be ahead of the events that follow.
    groups.apply(event("PROGRESS", group(3, 0.6)));
    assert.deepEqual(shown(), [2, 0.6]);
    groups.expire();
    groups.keep(group(4));
    assert.deepEqual(shown(), [4, 1]);
  });
});
