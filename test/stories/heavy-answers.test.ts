// Each document here stays within the limits, and asks for as much as they allow. The API must
// still answer other requests in time, and use little memory.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import postgres from "postgres";
import { startApiProcess, type ApiProcess } from "./api-process.js";
import { long } from "../support/runner/long.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

/** Limits for every document. */
const MAX_BLOCKED_MS = 1000;
const MAX_GROWN_MB = 300;

const idOf = (kind: number, i: number) =>
  `0198f3a0-000${kind}-7000-8000-${i.toString(16).padStart(12, "0")}`;
const ids = (kind: number) =>
  `('0198f3a0-000${kind}-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid`;
const aliases = (count: number, field: (alias: string) => string) =>
  Array.from({ length: count }, (_, i) => field(`a${i}`)).join(" ");

/**
 * Kinds of ids: a job with 51 events, photos, jobs on all photos, large jobs, a job with large
 * events, jobs with many large events, jobs with many small events.
 */
const [STORY, PHOTO, SHEET, LARGE, LOUD, BUSY, QUIET] = [1, 2, 3, 4, 5, 6, 7];
const sheets = 'filter: { job: ["contact-sheet"] }';
const nested = (levels: number, leaf: string) =>
  `{ queuedJob(id: "${idOf(1, 1)}") { ` +
  `${"history { queuedJob { ".repeat(levels - 1)} history { ${leaf} } ` +
  `${"} } ".repeat(levels - 1)} ` +
  "} }";

const DOCUMENTS: [what: string, query: string][] = [
  [
    "100 jobs on 100 photos each, with all fields that the page shows",
    `{ queuedJobs(first: 100, ${sheets}) { nodes { id status version progress ` +
      "progressMessage attempts priority createdAt updatedAt startedAt finishedAt runAt " +
      "job { name title } error { code message } queuePosition estimatedStartAt photos { " +
      "id filename mimeType width height byteSize url previewUrl thumbhash } } totalCount " +
      "} }",
  ],
  [
    "the URLs of 10,000 photos under six aliases",
    `{ queuedJobs(first: 100, ${sheets}) { nodes { photos { ` +
      `${aliases(6, (a) => `${a}: url`)} } } } }`,
  ],
  [
    "19 fields of 10,000 photos",
    `{ queuedJobs(first: 100, ${sheets}) { nodes { photos { id filename mimeType width ` +
      `height byteSize sha256 createdAt thumbhash ${aliases(10, (a) => `${a}: filename`)} ` +
      "} } } }",
  ],
  [
    "19 fields of the histories of 100 jobs",
    `{ queuedJobs(first: 100, filter: { job: ["crop"] }) { nodes { history { type at ` +
      "cursor queuedJob { id status version progress progressMessage attempts priority " +
      "createdAt updatedAt startedAt finishedAt expiresAt runAt reusedFrom } } } } }",
  ],
  [
    "the queue positions in the histories of 100 jobs",
    `{ queuedJobs(first: 100, filter: { job: ["crop"] }) { nodes { history { queuedJob { ` +
      "queuePosition } } } } }",
  ],
  [
    "a list in each event of the histories of 58 jobs",
    `{ queuedJobs(first: 58, filter: { job: ["crop"] }) { nodes { history { queuedJob { ` +
      "user { queuedJobs(first: 1) { nodes { id attempts } } } } } } } }",
  ],
  [
    "a list for each photo of 58 jobs",
    `{ queuedJobs(first: 58, ${sheets}) { nodes { photos { queuedJobs(first: 2) { nodes ` +
      "{ id attempts } } } } } }",
  ],
  [
    "the numbers of jobs on 100 photos",
    "{ photos(first: 100) { nodes { queuedJobs(first: 1) { totalCount } } } }",
  ],
  ["the history of a job, nested three times", nested(3, "type")],
  ["the history of a job, nested four times", nested(4, "type")],
  [
    "photos of jobs of photos of jobs of photos",
    "{ photos(first: 100) { nodes { queuedJobs(first: 2) { nodes { photos { " +
      "queuedJobs(first: 2) { nodes { photos { id } } } } } } } } }",
  ],
  [
    "photos of jobs of photos",
    "{ photos(first: 100) { nodes { queuedJobs(first: 10) { nodes { photos { id } } } } } }",
  ],
  [
    "20 pages of 100 large jobs",
    "{ " +
      `${aliases(
        20,
        (a) =>
          `${a}: queuedJobs(first: 100, filter: { job: ["echo"] }) { nodes { parameters ` +
          "result } }",
      )} ` +
      "}",
  ],
  [
    "large results under 30 aliases",
    `{ queuedJobs(first: 100, filter: { job: ["echo"] }) { nodes { ` +
      `${aliases(30, (a) => `${a}: result`)} } } }`,
  ],
  [
    "the parameters in a history of large events",
    `{ queuedJob(id: "${idOf(5, 1)}") { history { queuedJob { parameters } } } }`,
  ],
  [
    "the parameters in the histories of 20 jobs",
    `{ queuedJobs(first: 100, filter: { job: ["metadata"] }) { nodes { history { ` +
      "queuedJob { parameters } } } } }",
  ],
  [
    "two fields of the histories of 100 jobs",
    `{ queuedJobs(first: 100, filter: { job: ["crop"] }) { nodes { history { type at } } } }`,
  ],
  [
    "the URLs of 10,000 photos under 16 aliases",
    `{ queuedJobs(first: 100, filter: { job: ["contact-sheet"] }) { nodes { photos { ` +
      `${aliases(16, (a) => `${a}: url`)} } } } }`,
  ],
  [
    "an alias of 20,000 characters in 2,000 rows",
    `{ queuedJobs(first: 100, filter: { job: ["metadata"] }) { nodes { history { ` +
      `${"a".repeat(20_000)}: type } } } }`,
  ],
  [
    "a job on each of 100 photos, twenty times",
    "{ " +
      `${aliases(
        20,
        (a) =>
          `${a}: photos(first: 100) { nodes { queuedJobs(first: 1) { totalCount nodes { id } ` +
          "} } }",
      )} ` +
      "}",
  ],
];

describe("a document that asks for as much as the limits allow", long, () => {
  let service: TestService;
  let api: ApiProcess;
  let authorization: string;
  before(async () => {
    service = await startTestService({ workers: 0 });
    const person = await service.person();
    authorization = `Bearer ${person.token}`;
    api = await startApiProcess(service.env);
    await seed((await person.get("{ me { id } }")).me.id);
  });
  after(async () => {
    api.stop();
    await service.close();
  });

  async function seed(userId: string): Promise<void> {
    // It takes longer than a statement of the service may.
    const seeding = postgres(service.env["DATABASE_URL"] ?? "", { max: 1 });
    await seeding.begin(async (sql) => {
      const job = sql`now(), now(), now(), now(), now(), now() + interval '1 day', 1,
        ${userId}::uuid, 'SUCCESS', 0, 'request'`;
      const columns = sql`due_at, created_at, updated_at, started_at, finished_at, expires_at,
        progress, user_id, status, priority, request_id, id, job_name, photo_count, parameters,
        result`;
      const uuid = (kind: number) => sql.unsafe(ids(kind));
      await sql`insert into photos (id, user_id, filename, mime_type, width, height, byte_size,
        sha256, storage_key, created_at, preview_key)
      select ${uuid(PHOTO)}, ${userId}, 'a.jpg', 'image/jpeg', 1, 1, 1, i::text, 'photos/' || i,
        now(), 'previews/' || i from generate_series(1, 100) i`;
      await sql`insert into queued_jobs (${columns})
        select ${job}, ${uuid(SHEET)}, 'contact-sheet', 100, '{}', '{}'
          from generate_series(1, 100) i`;
      await sql`insert into queued_job_photos (queued_job_id, position, photo_id)
        select q.id, p.n, p.id from queued_jobs q, (select id, row_number() over (order by id) n
          from photos) p where q.job_name = 'contact-sheet'`;
      await sql`insert into queued_jobs (${columns})
        select ${job}, ${uuid(LARGE)}, 'echo', 0, jsonb_build_object('message',
          (select jsonb_agg('[]'::jsonb) from generate_series(1, 16000))),
          to_jsonb(repeat(md5(i::text), 8000)) from generate_series(1, 100) i`;
      for (const [kind, name] of [
        [STORY, "hash"],
        [LOUD, "palette"],
      ] as const)
        await sql`insert into queued_jobs (${columns})
          select ${job}, ${uuid(kind)}, ${name}, 0, '{}', '{}' from generate_series(1, 1) i`;
      for (const [kind, name, count] of [
        [BUSY, "metadata", 20],
        [QUIET, "crop", 100],
      ] as const)
        await sql`insert into queued_jobs (${columns})
          select ${job}, ${uuid(kind)}, ${name}, 0, '{}', '{}'
            from generate_series(1, ${count}::int) i`;
      const events = (name: string, count: number, size: number) => sql`
      insert into queued_job_events (user_id, seq, queued_job_id, type, at, snapshot)
      select ${userId}, (select coalesce(max(seq), 0)
        from queued_job_events) + row_number() over (), q.id, 'QUEUED', now(), jsonb_build_object(
        'id', q.id, 'userId', q.user_id, 'jobName', q.job_name, 'status', 'PENDING', 'parameters',
        jsonb_build_object('message', repeat(md5(n::text || q.id), ${size} / 32)), 'photoCount', 0,
        'priority', 0, 'runAt', null,
        'progress', 0, 'progressMessage', null, 'attempts', 0, 'result', null, 'outputs',
        '[]'::jsonb, 'error', null, 'version', n, 'createdAt', rfc3339(now()), 'updatedAt',
        rfc3339(now()), 'startedAt', null, 'finishedAt', null, 'expiresAt', null, 'reusedFrom',
        null)
      from queued_jobs q, generate_series(1, ${count}::int) n where q.job_name = ${name}`;
      await events("hash", 51, 100);
      await events("palette", 1000, 64_000);
      await events("metadata", 100, 16_000);
      await events("crop", 100, 100);
    });
    await seeding`analyze`;
    await seeding.end();
  }

  async function ask(query: string): Promise<string> {
    const response = await fetch(`${api.url}/graphql`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ query }),
      signal: AbortSignal.timeout(25_000),
    });
    return response.text();
  }

  for (const [what, query] of DOCUMENTS) {
    it(`does not block other requests: ${what}`, async (t) => {
      let answer = "";
      let ms = 0;
      const { blockedMs, grownMb } = await api.strain(async () => {
        const startedAt = performance.now();
        answer = await ask(query).catch((error: unknown) => String(error));
        ms = performance.now() - startedAt;
      });
      t.diagnostic(
        `${what}: blocked ${blockedMs} ms, grown ${grownMb} MB, answered in ` +
          `${Math.round(ms)} ms: ${answer.length} characters ${answer.slice(0, 200)}`,
      );
      assert.ok(blockedMs < MAX_BLOCKED_MS, `blocked for ${blockedMs} ms`);
      assert.ok(grownMb < MAX_GROWN_MB, `grown by ${grownMb} MB`);
    });
  }
});
