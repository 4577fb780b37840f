// Tests the first thing an operator does: search the log for one request.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { eventually } from "../../support/runner/eventually.js";

const SUBMIT = "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id } }";

describe("one search of the log", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.close());

  const linesWith = (word: string) =>
    service.logged.filter((line) => JSON.stringify(line).includes(word));
  const messages = (lines: Record<string, unknown>[]) => lines.map(({ msg }) => msg);
  const lineWith = (word: string, message: string) =>
    eventually(`"${message}" is logged`, () => linesWith(word).find(({ msg }) => msg === message));

  it("for the id of a request shows its submission through API, worker and child", async () => {
    const person = await service.person();
    const { id: userId } = (await person.get("{ me { id } }")).me;
    // The header is valid, but the file is truncated.
    const photo = await person.upload(smallPhoto(64, 64).subarray(0, 3000), { type: "image/png" });
    const answer = await person.ask(
      SUBMIT,
      { input: { job: "thumbnail", photoIds: [photo.json["id"]] } },
      { "x-request-id": "story-1" },
    );
    assert.equal(answer.headers.get("x-request-id"), "story-1");
    const { id } = answer.data.enqueueJob;
    assert.equal((await person.finished(id)).status, "FAILED");

    const failed = await lineWith("story-1", "an attempt failed");
    const lines = linesWith("story-1");
    for (const message of ["accepted", "answered", "claimed", "failed", "an attempt failed"])
      assert.ok(messages(lines).includes(message), message);
    for (const line of lines) assert.equal(line["requestId"], "story-1");
    assert.deepEqual(
      [
        failed["queuedJobId"],
        failed["attempt"],
        failed["userId"],
        failed["job"],
        failed["level"],
        failed["code"],
      ],
      [id, 1, userId, "thumbnail", 30, "PHOTO_UNREADABLE"],
    );
    assert.match(String(failed["reason"]), /^The photo /);
    assert.equal(failed["err"], undefined);
    assert.equal(lines.find(({ msg }) => msg === "accepted")?.["queuedJobId"], id);
    for (const message of ["accepted", "an attempt failed"])
      assert.ok(messages(linesWith(id)).includes(message), message);
  });

  it("works for a request without an id, by the id that the client received", async () => {
    const person = await service.person();
    const answer = await person.ask(SUBMIT, { input: { job: "echo" } });
    await person.finished(answer.data.enqueueJob.id);
    const requestId = answer.headers.get("x-request-id") ?? "none";
    const succeeded = await lineWith(requestId, "succeeded");
    assert.deepEqual(
      [succeeded["requestId"], succeeded["queuedJobId"], succeeded["attempt"], succeeded["level"]],
      [requestId, answer.data.enqueueJob.id, 1, 30],
    );
  });

  it("for a QueuedJob shows one line per step, with its ids and no submitted data", async () => {
    const person = await service.person();
    const { id: userId } = (await person.get("{ me { id } }")).me;
    const secret = "nobody-else-reads-this";
    const answer = await person.ask(
      SUBMIT,
      { input: { job: "echo", parameters: { message: secret } } },
      { "x-request-id": "story-2" },
    );
    const { id } = answer.data.enqueueJob;
    await person.finished(id);
    const other = await person.enqueue(
      "echo",
      {},
      { runAt: new Date(Date.now() + 3_600_000).toISOString() },
    );
    for (const mutation of ["cancelQueuedJob(id: $id) { id }", "retryQueuedJob(id: $id) { id }"])
      await person.ask(`mutation ($id: ID!) { ${mutation} }`, { id: other.id });
    await person.finished(other.id);
    for (const done of [id, other.id])
      await person.ask("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: done });

    const steps = (queuedJobId: string) =>
      service.logged.filter(
        (line) => line["queuedJobId"] === queuedJobId && Number(line["level"]) >= 30,
      );
    assert.deepEqual(messages(steps(id)), ["accepted", "claimed", "succeeded", "deleted"]);
    assert.deepEqual(messages(steps(other.id)), [
      "accepted",
      "cancelled",
      "submitted again",
      "claimed",
      "succeeded",
      "deleted",
    ]);
    const fields = steps(id).map(({ requestId, queuedJobId, userId: owner, job, type }) => ({
      requestId,
      queuedJobId,
      owner,
      job,
      type,
    }));
    assert.deepEqual(
      fields,
      ["QUEUED", "STARTED", "SUCCEEDED", "DELETED"].map((type) => ({
        requestId: "story-2",
        queuedJobId: id,
        owner: userId,
        job: "echo",
        type,
      })),
    );
    assert.deepEqual(linesWith(secret), []);
  });

  it("finds no error line, because no person had to act", () => {
    assert.deepEqual(messages(service.logged.filter(({ level }) => Number(level) >= 50)), []);
  });
});
