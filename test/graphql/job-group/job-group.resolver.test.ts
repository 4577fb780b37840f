import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openEventStream } from "../../support/clients/event-stream.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const GROUP =
  "id name status total pending started succeeded failed cancelled progress finishedAt expiresAt";
const ENQUEUE = `mutation ($input: EnqueueGroupInput!) {
  enqueueGroup(input: $input) { ${GROUP} } }`;
const EVENTS = `subscription ($id: ID, $after: String) {
  queuedJobEvents(groupId: $id, after: $after) {
    cursor type queuedJob { key status waitingFor error { code } group { ${GROUP} } } } }`;

describe("groups over GraphQL", () => {
  let service: TestService;
  let client: TestClient;
  before(async () => {
    service = await startTestService();
    client = await service.person();
  });
  after(() => service.close());

  const enqueue = async (jobs: object[], more: object = {}) =>
    (await client.get(ENQUEUE, { input: { jobs, ...more } })).enqueueGroup;

  async function openStream(id: string) {
    return openEventStream(service.url, client.token, { query: EVENTS, variables: { id } });
  }

  it("pass pictures on from job to job, and one stream shows all of the progress", async () => {
    const { json } = await client.upload(smallPhoto(), { type: "image/png" });
    const from = (key: string) => [{ key }];
    const group = await enqueue(
      [
        { key: "archive", job: "archive", photosFrom: [...from("mark"), ...from("small")] },
        {
          key: "small",
          job: "thumbnail",
          parameters: { widths: [16, 32] },
          photosFrom: from("mark"),
        },
        { key: "mark", job: "watermark", parameters: { text: "hello" }, photosFrom: from("scrub") },
        { key: "scrub", run: { scrub: {} }, photoIds: [json["id"]] },
      ],
      { name: "pipeline" },
    );
    assert.deepEqual([group.status, group.total, group.pending], ["RUNNING", 4, 4]);
    const stream = await openStream(group.id);
    assert.equal(await stream.ended(60_000), "complete");
    // eslint-disable-next-line typescript/no-explicit-any -- the test knows the shape
    const last = stream.events.at(-1) as any;
    const { key, group: end } = last.queuedJob;
    assert.deepEqual(
      [last.type, key, end.status, end.succeeded, end.progress],
      ["SUCCEEDED", "archive", "SUCCESS", 4, 1],
    );
    assert.notEqual(end.finishedAt, null);
    const { jobGroup } = await client.get(
      `query ($id: ID!) { jobGroup(id: $id) { ${GROUP} queuedJobs { totalCount nodes {
        key status result expiresAt outputs { name } photos { id } } } } }`,
      { id: group.id },
    );
    const nodes = jobGroup.queuedJobs.nodes as {
      key: string;
      expiresAt: string;
      result: { files?: number };
      outputs: { name: string }[];
    }[];
    assert.deepEqual(
      nodes.map((node) => node.key),
      ["archive", "small", "mark", "scrub"],
    );
    assert.equal(nodes[0]?.result.files, 3);
    assert.deepEqual(
      nodes[1]?.outputs.map(({ name }) => name),
      ["16w.webp", "32w.webp"],
    );
    assert.ok(nodes.every(({ expiresAt }) => expiresAt === jobGroup.expiresAt));
  });

  it("page through members in the order of submission, and through groups", async () => {
    const jobs = ["a", "b", "c"].map((key) => ({ key, job: "echo" }));
    const group = await enqueue(jobs);
    const read = async (args: string) =>
      (
        await client.get(
          `query ($id: ID!) { jobGroup(id: $id) { queuedJobs(${args}) { nodes { key }
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`,
          { id: group.id },
        )
      ).jobGroup.queuedJobs;
    const first = await read("first: 2");
    const second = await read(`first: 2, after: "${first.pageInfo.endCursor}"`);
    const keysOf = (page: { nodes: { key: string }[] }) => page.nodes.map(({ key }) => key);
    assert.deepEqual([keysOf(first), keysOf(second)], [["a", "b"], ["c"]]);
    assert.deepEqual(
      [first.pageInfo.hasNextPage, second.pageInfo.hasNextPage, second.pageInfo.hasPreviousPage],
      [true, false, true],
    );
    const { jobGroups, node } = await client.get(
      `query ($id: ID!) { jobGroups(first: 1) { totalCount eventCursor nodes { id } }
        node(id: $id) { ... on JobGroup { id } } }`,
      { id: group.id },
    );
    assert.deepEqual([jobGroups.nodes, node], [[{ id: group.id }], { id: group.id }]);
  });

  it("are cancelled, retried and deleted as a whole", async () => {
    const group = await enqueue([
      { key: "a", job: "echo", parameters: { durationMs: 60_000 } },
      { key: "b", job: "echo", after: ["a"] },
    ]);
    const change = async (name: string, selection = `{ ${GROUP} }`) =>
      client.ask(`mutation ($id: ID!) { ${name}(id: $id) ${selection} }`, { id: group.id });
    assert.equal((await change("deleteGroup", "")).code, "CONFLICT");
    assert.equal((await change("retryGroup")).code, "CONFLICT");
    const { cancelGroup } = (await change("cancelGroup")).data;
    assert.deepEqual([cancelGroup.status, cancelGroup.cancelled], ["CANCELLED", 2]);
    const { retryGroup } = (await change("retryGroup")).data;
    assert.deepEqual([retryGroup.status, retryGroup.finishedAt], ["RUNNING", null]);
    await change("cancelGroup");
    assert.equal((await change("deleteGroup", "")).data.deleteGroup, group.id);
    assert.equal((await change("cancelGroup")).code, "NOT_FOUND");
  });

  it("return the first group for a repeated idempotency key", async () => {
    const jobs = [{ key: "a", job: "echo" }];
    const [one, other] = [
      await enqueue(jobs, { idempotencyKey: "k" }),
      await enqueue(jobs, { idempotencyKey: "k" }),
    ];
    assert.equal(one.id, other.id);
    const input = { jobs: [{ key: "b", job: "echo" }], idempotencyKey: "k" };
    assert.equal((await client.ask(ENQUEUE, { input })).code, "IDEMPOTENCY_CONFLICT");
  });

  it("keep what a waiting job needs, until it has finished", async () => {
    const { json } = await client.upload(smallPhoto(), { type: "image/png" });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const group = await enqueue([
      { key: "a", job: "scrub", photoIds: [json["id"]] },
      { key: "b", job: "scrub", photosFrom: [{ key: "a" }], runAt: later },
    ]);
    const ids = await client.get(
      "query ($id: ID!) { jobGroup(id: $id) { queuedJobs { nodes { id } } } }",
      { id: group.id },
    );
    const [a, b] = ids.jobGroup.queuedJobs.nodes as [{ id: string }, { id: string }];
    await client.finished(a.id, 30_000);
    const remove = "mutation ($id: ID!) { deleteQueuedJob(id: $id) }";
    assert.equal((await client.ask(remove, a)).code, "CONFLICT");
    await client.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", b);
    assert.equal((await client.get(remove, a)).deleteQueuedJob, a.id);
    const retry = "mutation ($id: ID!) { retryGroup(id: $id) { id } }";
    assert.equal((await client.ask(retry, { id: group.id })).code, "CONFLICT");
  });

  it("refuse a stream of a QueuedJob and of a group at once", async () => {
    const query =
      "subscription ($id: ID) { queuedJobEvents(queuedJobId: $id, groupId: $id) { type } }";
    const variables = { id: "0190a000-0000-7000-8000-000000000000" };
    const stream = await openEventStream(service.url, client.token, { query, variables });
    await stream.ended();
    assert.equal(stream.results[0]?.errors?.[0]?.extensions.code, "BAD_USER_INPUT");
  });
});
