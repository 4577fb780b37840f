import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  cancelGroup,
  createLiveGroup,
  deleteGroup,
  finishedGroup,
  pipeline,
  retryGroup,
  runGroup,
  watchGroup,
  type JobGroup,
} from "../../../../client/src/groups/index.js";
import type { PhotoService } from "../../../../client/src/index.js";
import { eventually } from "../../../support/runner/eventually.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { clientOf, proxiedClientOf } from "../../client-of.js";

const echo = { job: "echo", parameters: {} } as const;
const broken = { job: "echo", parameters: { failPermanently: true } } as const;

/** The counts, in one line. */
function countsOf({ pending, started, succeeded, failed, cancelled }: JobGroup): string {
  return [pending, started, succeeded, failed, cancelled].join(" ");
}

describe("groups of the client", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.close());

  async function upload(client: PhotoService) {
    return client.upload(new Blob([smallPhoto(64, 48)]), { filename: "a.png" });
  }

  it("run typed jobs by key, hand pictures on, and return the results by key", async (t) => {
    const { client } = await proxiedClientOf(t, service);
    const photo = await upload(client);
    const group = await runGroup(
      client,
      {
        clean: { job: "scrub", photos: [photo] },
        small: { job: "thumbnail", parameters: { widths: [32, 16] }, photosFrom: ["clean"] },
        colours: { job: "palette", photosFrom: [{ key: "small", outputs: ["16w.webp"] }] },
        last: { ...echo, after: ["colours"] },
      },
      { name: "typed" },
    );
    assert.deepEqual([group.name, group.total, group.status], ["typed", 4, "RUNNING"]);
    const { group: done, jobs } = await finishedGroup(client, group);
    assert.deepEqual([done.status, countsOf(done), done.progress], ["SUCCESS", "0 0 4 0 0", 1]);
    assert.deepEqual(
      jobs.small.result?.variants.map(({ width }) => width),
      [32, 16],
    );
    assert.match(jobs.colours.result?.dominant ?? "", /^#/);
    assert.match(jobs.small.outputs[0]?.url ?? "", /^http/);
    // @ts-expect-error The key is unknown.
    const other = runGroup(client, { a: { job: "scrub", photosFrom: ["b"] } });
    await assert.rejects(other, { code: "BAD_USER_INPUT" });
  });

  it("show their progress in one stream, to a client that makes no other request", async (t) => {
    const { client, person } = await proxiedClientOf(t, service);
    const { client: watcher, sockets } = clientOf({ url: service.url, token: person.token });
    t.after(() => watcher.close());
    const wait = { job: "echo", parameters: { durationMs: 400 } } as const;
    const { id } = await runGroup(client, {
      first: wait,
      left: { ...echo, after: ["first"] },
      right: { ...broken, after: ["first"] },
      end: { ...echo, after: ["left", "right"], ifPredecessorFails: "RUN" },
      never: { ...echo, after: ["right"] },
    });
    const shown: JobGroup[] = [];
    for await (const { type, queuedJob } of watchGroup(watcher, id))
      if (queuedJob.group && type !== "PROGRESS") shown.push(queuedJob.group);
    assert.equal(sockets(), 1);
    const [last, ...others] = shown.toReversed();
    assert.deepEqual(last && [last.status, countsOf(last), last.progress], [
      "FAILED",
      "0 0 3 1 1",
      1,
    ]);
    assert.ok(others.every(({ status, finishedAt }) => status === "RUNNING" && !finishedAt));
    for (const { total, pending, started, succeeded, failed, cancelled } of shown)
      assert.equal(pending + started + succeeded + failed + cancelled, total);
  });

  it("stay live across cuts, cancellations, retries and deletion", async (t) => {
    const { client, killSockets } = await proxiedClientOf(t, service);
    const slow = { job: "echo", parameters: { durationMs: 60_000 } } as const;
    const group = await runGroup(client, { a: echo, b: slow, c: { ...echo, after: ["b"] } });
    const live = createLiveGroup(client, group);
    t.after(live.subscribe(() => {}));
    const shows = (counts: string) =>
      eventually(`the group shows ${counts}`, () => {
        const { group: now, jobs } = live.getSnapshot();
        const rows = jobs.filter(({ status }) => status === "PENDING").length;
        return now !== null && countsOf(now) === counts && rows === now.pending;
      });
    await shows("1 1 1 0 0");
    killSockets();
    await cancelGroup(client, group);
    await shows("0 0 1 0 2");
    assert.deepEqual(
      live.getSnapshot().jobs.map(({ key }) => key),
      ["a", "b", "c"],
    );
    await retryGroup(client, group);
    await shows("1 1 1 0 0");
    killSockets();
    const [, b] = live.getSnapshot().jobs;
    await client.cancel(b?.id ?? "");
    await shows("0 0 1 0 2");
    await deleteGroup(client, group);
    await assert.rejects(finishedGroup(client, group), { code: "NOT_FOUND" });
  });
});

describe("a pipeline", () => {
  it("takes each photo through all steps, and joins their pictures", () => {
    const jobs = pipeline(
      ["p", { id: "q" }],
      [{ job: "scrub" }, { job: "scrub", priority: 3 }, { job: "archive", joins: true }],
    );
    assert.deepEqual(jobs, {
      "1-scrub": { job: "scrub", photos: ["p"], photosFrom: [] },
      "2-scrub": { job: "scrub", photos: [{ id: "q" }], photosFrom: [] },
      "1-scrub-2": { job: "scrub", priority: 3, photos: [], photosFrom: ["1-scrub"] },
      "2-scrub-2": { job: "scrub", priority: 3, photos: [], photosFrom: ["2-scrub"] },
      archive: { job: "archive", photos: [], photosFrom: ["1-scrub-2", "2-scrub-2"] },
    });
  });
});
