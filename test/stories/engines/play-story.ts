import assert from "node:assert/strict";
import type { EventFields, TestClient } from "../../support/clients/test-client.js";
import type { TestService } from "../../support/service/test-service.js";

const logged = (events: EventFields[]) => events.filter(({ type }) => type !== "PROGRESS");
const typesOf = (events: EventFields[]) => logged(events).map(({ type }) => type);

/**
 * The main flow on a service: submit, run, fail and retry, cancel, resume. Each event arrives once,
 * in order, and only at its owner.
 */
export async function playStory(service: TestService): Promise<void> {
  const [ann, bob] = await Promise.all([service.person(), service.person()]);
  const start = await ann.cursor();
  const [hers, his] = [ann.events({ after: start }), bob.events({ after: await bob.cursor() })];

  const plain = await ann.enqueue("echo", { message: { a: [1, "ü"] }, durationMs: 300, steps: 2 });
  await hers.next("it succeeds", ({ type }) => type === "SUCCEEDED");
  assert.deepEqual(typesOf(hers.events), ["QUEUED", "STARTED", "SUCCEEDED"]);
  assert.ok(
    hers.events.some(({ type }) => type === "PROGRESS"),
    "a notification carried no PROGRESS",
  );
  assert.deepEqual(hers.events.at(-1)?.queuedJob.result, {
    message: { a: [1, "ü"] },
    attempt: 1,
  });

  const failing = await ann.enqueue("echo", { failAttempts: 1 });
  const long = await ann.enqueue("echo", { durationMs: 60_000 });
  const isOf = (id: string, wanted: string) => (event: EventFields) =>
    event.queuedJob.id === id && event.type === wanted;
  await hers.next("the long one runs", isOf(long.id, "STARTED"));
  await cancel(ann, long.id);
  await hers.next("it is cancelled", isOf(long.id, "CANCELLED"));
  await hers.next("the failing one succeeds", isOf(failing.id, "SUCCEEDED"));
  const ofFailing = hers.events.filter(({ queuedJob }) => queuedJob.id === failing.id);
  assert.deepEqual(typesOf(ofFailing), ["QUEUED", "STARTED", "RETRYING", "STARTED", "SUCCEEDED"]);

  const own = await bob.enqueue("echo");
  await his.next("his own succeeds", ({ type }) => type === "SUCCEEDED");
  assert.deepEqual([...new Set(his.events.map(({ queuedJob }) => queuedJob.id))], [own.id]);
  assert.equal(await bob.job(plain.id), null);

  const story = logged(hers.events);
  const middle = story[3]?.cursor ?? "";
  const replay = ann.events({ after: middle });
  await replay.next("the last event", ({ cursor }) => cursor === story.at(-1)?.cursor);
  assert.deepEqual(logged(replay.events), story.slice(4));
  for (const stream of [hers, his, replay]) stream.stop();
}

const CANCEL = "mutation ($id: ID!) { cancelQueuedJob(id: $id) { status } }";

async function cancel(person: TestClient, id: string): Promise<void> {
  const answer = await person.get(CANCEL, { id });
  assert.equal(answer.cancelQueuedJob.status, "CANCELLED");
}
