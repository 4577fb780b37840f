import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { BROKEN_IDS, idOfNothing } from "../../support/asserts/broken-ids.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const LIST =
  "query ($first: Int = 100, $after: String, $last: Int, $before: String, " +
  "$filter: QueuedJobFilter, $userId: ID, $allUsers: Boolean) { queuedJobs(first: $first, " +
  "after: $after, last: $last, before: $before, filter: $filter, userId: $userId, " +
  "allUsers: $allUsers) { nodes { id } pageInfo { startCursor endCursor } totalCount " +
  "eventCursor } }";

interface Listed {
  ids: string[];
  totalCount: number;
  eventCursor: string;
  startCursor: string | null;
  endCursor: string | null;
}

async function list(person: TestClient, variables: object = {}): Promise<Listed> {
  const { nodes, totalCount, eventCursor, pageInfo } = (await person.get(LIST, variables))
    .queuedJobs;
  return {
    ids: nodes.map(({ id }: { id: string }) => id),
    totalCount,
    eventCursor,
    ...pageInfo,
  };
}

const idOf = async (person: TestClient): Promise<string> =>
  (await person.get("{ me { id } }")).me.id;

describe("queuedJobs", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0 });
  });
  after(() => service.close());

  it("return the same value of a field, whatever else is selected", async () => {
    const person = await service.person();
    const { id } = await person.enqueue(
      "echo",
      { message: 1 },
      { priority: 3, runAt: new Date(Date.now() + 60_000).toISOString() },
    );
    await person.enqueue("echo", { failAttempts: 1 });
    const FIELDS = [
      "id",
      "status",
      "parameters",
      "priority",
      "runAt",
      "progress",
      "progressMessage",
      "attempts",
      "result",
      "version",
      "createdAt",
      "updatedAt",
      "startedAt",
      "finishedAt",
      "expiresAt",
      "reusedFrom",
      "queuePosition",
      "estimatedStartAt",
      "__typename",
      "job { name }",
      "user { email }",
      "photos { id }",
      "outputs { name }",
      "error { code }",
      "history { type at }",
    ];
    const { queuedJobs, queuedJob } = await person.get(
      `query ($id: ID!) { queuedJobs { nodes { ${FIELDS.join(" ")} } } queuedJob(id: ` +
        `$id) { ${FIELDS.join(" ")} } }`,
      { id },
    );
    assert.deepEqual(queuedJobs.nodes[1], queuedJob);
    for (const field of FIELDS.filter((one) => one !== "estimatedStartAt")) {
      const name = field.split(" ")[0] ?? "";
      const alone = await person.get(
        `{ a: queuedJobs { nodes { ${field} } } b: queuedJobs { edges { ...E } } me { ` +
          `queuedJobs { nodes { ... on Node { id } ... on QueuedJob { ${field} } } } } } ` +
          "fragment E on QueuedJobEdge { node { ...N } } fragment N on QueuedJob { " +
          `${field} }`,
      );
      const expected = queuedJobs.nodes.map((node: Record<string, unknown>) => node[name]);
      assert.deepEqual(
        [
          alone.a.nodes,
          alone.b.edges.map(({ node }: { node: unknown }) => node),
          alone.me.queuedJobs.nodes,
        ].map((nodes: Record<string, unknown>[]) => nodes.map((node) => node[name])),
        [expected, expected, expected],
        field,
      );
    }
  });

  it("return fields that a directive omitted in an earlier request", async () => {
    const person = await service.person();
    await person.enqueue("echo", { message: 1 });
    const query =
      "query ($more: Boolean!) { queuedJobs { nodes { id } } queuedJobs @include(if: " +
      "$more) { nodes { parameters } } }";
    for (const more of [false, true, false, true])
      assert.equal(
        (await person.get(query, { more })).queuedJobs.nodes[0].parameters?.message,
        more ? 1 : undefined,
      );
  });

  it("are filtered by status and by Job, together with their count", async () => {
    const person = await service.person();
    const [a, b, c] = [
      await person.enqueue("echo"),
      await person.enqueue("echo"),
      await person.enqueue("echo"),
    ].map(({ id }) => id);
    await person.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id: b });
    const cases: [object | null, unknown[]][] = [
      [null, [c, b, a]],
      [{}, [c, b, a]],
      [{ status: null, job: null }, [c, b, a]],
      [{ status: ["PENDING"] }, [c, a]],
      [{ status: ["CANCELLED", "STARTED"] }, [b]],
      [{ status: ["PENDING", "CANCELLED"] }, [c, b, a]],
      [{ status: [] }, []],
      [{ job: ["echo", "thumbnail"] }, [c, b, a]],
      [{ job: ["thumbnail"] }, []],
      [{ job: ["no-such-job"] }, []],
      [{ job: [] }, []],
      [{ job: ["echo"], status: ["CANCELLED"] }, [b]],
    ];
    for (const [filter, ids] of cases) {
      const page = await list(person, { filter });
      assert.deepEqual([page.ids, page.totalCount], [ids, ids.length], JSON.stringify(filter));
    }
  });

  it("refuse an unknown status", async () => {
    const { errors } = await (
      await service.person()
    ).ask(LIST, { filter: { status: ["PENDING", "LOST"] } });
    assertRefused(
      errors,
      "BAD_USER_INPUT",
      /Value "LOST" does not exist in "QueuedJobStatus" enum/,
      ["status", 1],
    );
  });

  it("of other users are listed only for admins", async () => {
    const [ann, bob, admin] = await Promise.all([
      service.person(),
      service.person(),
      service.admin(),
    ]);
    const [annsId, bobsId] = [await idOf(ann), await idOf(bob)];
    const [hers, his] = [(await ann.enqueue("echo")).id, (await bob.enqueue("echo")).id];
    for (const variables of [
      { userId: bobsId },
      { allUsers: true },
      { userId: annsId, allUsers: true },
      { userId: idOfNothing() },
    ]) {
      assertRefused(
        (await ann.ask(LIST, variables)).errors,
        "FORBIDDEN",
        "Only an admin can list QueuedJobs of other users.",
      );
    }
    assert.deepEqual((await list(ann, { userId: annsId.toUpperCase() })).ids, [hers]);
    assert.deepEqual((await list(ann, { userId: annsId, allUsers: false })).ids, [hers]);
    assert.deepEqual((await list(admin, { userId: bobsId })).ids, [his]);
    assert.deepEqual((await list(admin)).ids, []);
    assert.deepEqual((await list(admin, { userId: idOfNothing() })).ids, []);
    const { ids } = await list(admin, { allUsers: true });
    assert.ok(ids.includes(hers) && ids.includes(his));
  });

  it("refuse an invalid userId, also from admins", async () => {
    for (const person of [await service.person(), await service.admin()]) {
      for (const userId of BROKEN_IDS)
        assertRefused(
          (await person.ask(LIST, { userId })).errors,
          "BAD_USER_INPUT",
          "userId: is not an id: ids are UUIDs",
          ["userId"],
        );
    }
  });

  it("repeat the first page's eventCursor on later pages, so that no event is missed", async () => {
    const person = await service.person();
    for (let i = 0; i < 3; i++) await person.enqueue("echo");
    const first = await list(person, { first: 1 });
    const late = await person.enqueue("echo");
    const second = await list(person, { first: 1, after: first.endCursor });
    const third = await list(person, { first: 1, after: second.endCursor });
    const previous = await list(person, { first: null, last: 1, before: third.startCursor });
    assert.deepEqual(previous.ids, second.ids);
    for (const page of [second, third, previous]) assert.equal(page.eventCursor, first.eventCursor);
    assert.notEqual((await list(person, { first: 1 })).eventCursor, first.eventCursor);

    const stream = person.events({ after: third.eventCursor });
    const event = await stream.next("the event after the first page", () => true);
    stream.stop();
    assert.deepEqual([event.type, event.queuedJob.id], ["QUEUED", late.id]);
  });

  it("of another user have an eventCursor of the admin's own stream", async () => {
    const [person, admin] = await Promise.all([service.person(), service.admin()]);
    await person.enqueue("echo");
    const own = await admin.enqueue("echo");
    const { eventCursor } = await list(admin, { userId: await idOf(person) });
    assert.equal(eventCursor, await admin.cursor());
    await admin.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id: own.id });
    const stream = admin.events({ after: eventCursor });
    assert.equal((await stream.next("the admin's own", () => true)).queuedJob.id, own.id);
    stream.stop();
  });
});
