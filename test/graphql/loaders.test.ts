// The number of statements for an answer must not depend on its number of rows.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AnswerBudget } from "../../src/graphql/limits/answer-budget.js";
import { loadersOf, type HasLoaders } from "../../src/graphql/loaders.js";
import { startTestService, type ProxiedService } from "../support/service/test-service.js";
import { smallPhoto } from "../support/service/small-photo.js";
import type { TestClient } from "../support/clients/test-client.js";

const NESTED =
  "nodes { job { name } user { email } photos { url } outputs { url } history { type } }";

describe("the loaders", () => {
  let counted: ProxiedService;
  let admin: TestClient;
  before(async () => {
    counted = await startTestService({ proxied: true, workers: 0 });
    admin = await counted.admin();
    // Each owner has a different photo.
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        const person = await counted.person();
        const { json } = await person.upload(smallPhoto(), { type: "image/png" });
        for (let i = 0; i < 2; i++)
          await person.enqueue("metadata", {}, { photoIds: [json["id"]] });
      }),
    );
    await counted.database
      .sql`update queued_jobs set status = 'SUCCESS', progress = 1, result = '{}',
        started_at = now(), finished_at = now(), expires_at = now() + interval '1 hour'`;
    await counted.database
      .sql`insert into queued_job_outputs (queued_job_id, position, name, mime_type, byte_size,
        storage_key) select id, 1, 'a.txt', 'text/plain', 1, id::text from queued_jobs`;
    // Fill the caches of rows that a process reads only once.
    await admin.get(`{ queuedJobs(first: 1, allUsers: true) { ${NESTED} } }`);
  });
  after(() => counted.close());

  async function costOf(
    query: string,
    client = admin,
  ): Promise<{ statements: number; data: Awaited<ReturnType<TestClient["get"]>> }> {
    let data;
    const statements = await counted.statements(async () => {
      data = await client.get(query);
    });
    return { statements, data };
  }

  it("read the related rows of twelve QueuedJobs with as many statements as of one", async () => {
    const one = await costOf(`{ queuedJobs(first: 1, allUsers: true) { ${NESTED} } }`);
    const all = await costOf(`{ queuedJobs(first: 12, allUsers: true) { ${NESTED} } }`);
    const rows: {
      user: { email: string };
      photos: unknown[];
      outputs: unknown[];
      history: unknown[];
      job: { name: string };
    }[] = all.data.queuedJobs.nodes;
    assert.equal(rows.length, 12);
    assert.equal(new Set(rows.map(({ user }) => user.email)).size, 6);
    assert.ok(
      rows.every(
        ({ photos, outputs, history, job }) =>
          photos.length === 1 &&
          outputs.length === 1 &&
          history.length === 1 &&
          job.name === "metadata",
      ),
    );
    assert.ok(one.statements >= 6, `only ${one.statements} statements were counted`);
    assert.equal(all.statements, one.statements);
  });

  it("read the lists of many photos or users with as many statements as of one", async () => {
    const person = await counted.person();
    for (let i = 0; i < 5; i++) {
      const { json } = await person.upload(smallPhoto(), { type: "image/png" });
      for (let n = 0; n < i; n++) await person.enqueue("metadata", {}, { photoIds: [json["id"]] });
    }
    const ask = (query: string) => costOf(query, person);
    for (const fields of ["id", "id error { code }", "id parameters"]) {
      const of = (first: number) =>
        `{ photos(first: ${first}) { nodes { id queuedJobs(first: 2) { totalCount ` +
        `pageInfo { hasNextPage } nodes { ${fields} photos { id } } } } } }`;
      const one = await ask(of(1));
      const five = await ask(of(5));
      assert.equal(five.statements, one.statements, fields);
      assert.deepEqual(
        five.data.photos.nodes.map(
          ({ queuedJobs }: { queuedJobs: { totalCount: number; nodes: unknown[] } }) => [
            queuedJobs.totalCount,
            queuedJobs.nodes.length,
          ],
        ),
        [
          [4, 2],
          [3, 2],
          [2, 2],
          [1, 1],
          [0, 0],
        ],
      );
      for (const { id, queuedJobs } of five.data.photos.nodes)
        for (const row of queuedJobs.nodes) assert.deepEqual(row.photos, [{ id }]);
    }
    const users = (first: number) =>
      `{ users(first: ${first}) { nodes { queuedJobs(first: 2) { totalCount nodes { id ` +
      "error { code } } } } } }";
    assert.equal((await costOf(users(6))).statements, (await costOf(users(1))).statements);
  });

  it("read a list once, even if it is selected several times", async () => {
    const person = await counted.person();
    for (let i = 0; i < 3; i++) await person.enqueue("echo");
    const of = (first: number) =>
      `{ queuedJobs(first: ${first}) { nodes { user { queuedJobs(first: 3) { totalCount ` +
      "nodes { id parameters } } limits { unfinished } } } } }";
    // The pauses are read at most once a second, so the first of two may have one statement more.
    const statements = async (first: number) =>
      Math.min(
        (await costOf(of(first), person)).statements,
        (await costOf(of(first), person)).statements,
      );
    assert.equal(await statements(3), await statements(1));
  });

  it("return an error, not an empty list, when photos cannot be read", async () => {
    const query = "{ queuedJobs(first: 12, allUsers: true) { nodes { photos { id } } } }";
    await counted.database.sql`alter table photos rename to hidden`;
    const { data, errors } = await admin.ask(query);
    await counted.database.sql`alter table hidden rename to photos`;
    assert.deepEqual(
      [data, errors?.[0]?.extensions.code, errors?.[0]?.path?.at(-1)],
      [null, "INTERNAL_SERVER_ERROR", "photos"],
    );
  });

  it("read a thousand ids per statement, each once, and again in the next step", async () => {
    const batches: number[] = [];
    const photos = {
      findMany: async (ids: readonly string[]) => (batches.push(ids.length), ids.map(() => null)),
    };
    const queuedJobReads = {
      photoIds: async (ids: readonly string[]) => ids.map((id) => [id, `${Number(id) + 1}`]),
      outputs: async (ids: readonly string[]) => (batches.push(ids.length), ids.map(() => [])),
    };
    const { outputs, photos: photosOf } = loadersOf({
      photos,
      queuedJobReads,
      budget: new AnswerBudget(),
      loaders: null,
    } as unknown as HasLoaders);
    const ids = Array.from({ length: 1500 }, (_, i) => String(i % 1200));
    await Promise.all(ids.map((id) => outputs.load(id)));
    await outputs.load("0");
    assert.deepEqual(batches.splice(0), [1000, 200, 1]);
    // The first thousand QueuedJobs have the photos 0 to 1000, the others have 1000 to 1200.
    await Promise.all(ids.map((id) => photosOf.load(id)));
    assert.deepEqual(
      batches.toSorted((a, b) => b - a),
      [1000, 201, 1],
    );
  });

  it("count a list only if totalCount is selected", async () => {
    for (const list of ["queuedJobs(first: 1)", "users(first: 1)", "photos(first: 1)"]) {
      const without = await costOf(
        `{ ${list} { edges { node { id } } pageInfo { hasNextPage } } }`,
      );
      const counting = await costOf(
        `{ ${list} { edges { node { id } } pageInfo { hasNextPage } totalCount } }`,
      );
      assert.equal(counting.statements, without.statements + 1, list);
    }
  });
});
