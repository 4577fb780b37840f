// What an answer costs in statements: as many for many rows as for few.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCountedService } from "../support/counted-service.js";
import type { CountedService } from "../support/counted-service.js";
import { smallPhoto } from "../support/small-photo.js";
import type { TestClient } from "../support/test-client.js";

const NESTED = "nodes { job { name } user { email } photos { url } outputs { url } history { type } }";

describe("the loaders", () => {
  let counted: CountedService;
  let admin: TestClient;
  before(async () => {
    counted = await startCountedService();
    admin = await counted.service.admin();
    // Of many owners, each with a photo of their own.
    await Promise.all(Array.from({ length: 6 }, async () => {
      const person = await counted.service.person();
      const { json } = await person.upload(smallPhoto(), { type: "image/png" });
      for (let i = 0; i < 2; i++) await person.enqueue("metadata", {}, { photoIds: [json["id"]] });
    }));
    await counted.database.sql`update queued_jobs set status = 'SUCCESS', progress = 1, result = '{}', started_at = now(), finished_at = now(), expires_at = now() + interval '1 hour'`;
    await counted.database.sql`insert into queued_job_outputs (queued_job_id, position, name, mime_type, byte_size, storage_key) select id, 1, 'a.txt', 'text/plain', 1, id::text from queued_jobs`;
    // What is read once in a process is read now.
    await admin.get(`{ queuedJobs(first: 1, allUsers: true) { ${NESTED} } }`);
  });
  after(() => counted.close());

  async function costOf(query: string): Promise<{ statements: number; data: Awaited<ReturnType<TestClient["get"]>> }> {
    let data;
    const statements = await counted.statements(async () => {
      data = await admin.get(query);
    });
    return { statements, data };
  }

  it("read job, user, photos, outputs and history of twelve QueuedJobs of six owners with as many statements as of one", async () => {
    const one = await costOf(`{ queuedJobs(first: 1, allUsers: true) { ${NESTED} } }`);
    const all = await costOf(`{ queuedJobs(first: 12, allUsers: true) { ${NESTED} } }`);
    const rows: { user: { email: string }; photos: unknown[]; outputs: unknown[]; history: unknown[]; job: { name: string } }[] = all.data.queuedJobs.nodes;
    assert.equal(rows.length, 12);
    assert.equal(new Set(rows.map(({ user }) => user.email)).size, 6);
    assert.ok(rows.every(({ photos, outputs, history, job }) => photos.length === 1 && outputs.length === 1 && history.length === 1 && job.name === "metadata"));
    assert.ok(one.statements >= 6, `only ${one.statements} statements were counted`);
    assert.equal(all.statements, one.statements);
  });

  it("count a list only where totalCount is asked for", async () => {
    for (const list of ["queuedJobs(first: 1)", "users(first: 1)", "photos(first: 1)"]) {
      const without = await costOf(`{ ${list} { edges { node { id } } pageInfo { hasNextPage } } }`);
      const counting = await costOf(`{ ${list} { edges { node { id } } pageInfo { hasNextPage } totalCount } }`);
      assert.equal(counting.statements, without.statements + 1, list);
    }
  });
});
