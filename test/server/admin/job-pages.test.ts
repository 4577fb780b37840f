import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import type { TestClient } from "../../support/clients/test-client.js";

const EVIL = "<script>alert(1)</script>";

describe("the job pages", () => {
  let operated: TestService;
  let ann: TestClient;
  let bob: TestClient;
  let photoId = "";
  const ids: Record<"failed" | "placed" | "bobs" | "deleted", string> = {
    failed: "",
    placed: "",
    bobs: "",
    deleted: "",
  };
  before(async () => {
    operated = await startTestService({ operated: true, workers: 1 });
    [ann, bob] = [
      await operated.person({ email: "ann@example.test", name: EVIL }),
      await operated.person({ email: "bob@example.test" }),
    ];
    const photo = await ann.upload(smallPhoto(), { filename: "picture <b>.jpg" });
    photoId = String(photo.json["id"]);
    ids.failed = (
      await ann.enqueue(
        "echo",
        { failPermanently: true, message: EVIL },
        { idempotencyKey: "a secret key" },
      )
    ).id;
    ids.placed = (await ann.enqueue("placeholder", {}, { photoIds: [photo.json["id"]] })).id;
    ids.bobs = (await bob.enqueue("echo", { failAttempts: 1 })).id;
    ids.deleted = (await bob.enqueue("echo")).id;
    await Promise.all([
      ann.finished(ids.failed),
      ann.finished(ids.placed),
      bob.finished(ids.bobs),
      bob.finished(ids.deleted),
    ]);
    await bob.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id: ids.deleted });
  });
  after(() => operated.close());
  const idsFor = async (query: string) =>
    [
      ...(await operated.operator.get(`/admin/jobs${query}`)).text.matchAll(
        /<td class="id"><a href="\/admin\/jobs\/([0-9a-f-]{36})">/g,
      ),
    ].map(([, id]) => id);

  it("find jobs by user, state and name, newest first", async () => {
    const [user] = await operated.database.sql<
      { id: string }[]
    >`select id from users where email = 'bob@example.test'`;
    const [row] = await operated.database.sql<
      { worker: string; requestId: string }[]
    >`select worker, request_id as "requestId" from queued_jobs where id = ${ids.bobs}`;
    const worker = encodeURIComponent(row?.worker ?? "");
    const { requestId } = row ?? {};
    for (const [query, expected] of [
      ["", [ids.bobs, ids.placed, ids.failed]],
      ["?user=ANN%40example.test", [ids.placed, ids.failed]],
      [`?user=${user?.id}`, [ids.bobs]],
      ["?status=FAILED", [ids.failed]],
      ["?job=echo", [ids.bobs, ids.failed]],
      ["?job=echo&status=SUCCESS&user=bob%40example.test", [ids.bobs]],
      ["?user=nobody%40example.test", []],
      ["?job=nothing", []],
      [`?before=${ids.placed}`, [ids.failed]],
      ["?code=TASK_FAILED", [ids.failed]],
      [`?photo=${photoId}`, [ids.placed]],
      [`?request=${requestId}`, [ids.bobs]],
      [`?worker=${worker}`, [ids.bobs, ids.placed, ids.failed]],
      ["?worker=none", []],
      ["?from=2020-01-01T00:00", [ids.bobs, ids.placed, ids.failed]],
      ["?from=2020-01-01&to=2020-02-01T00:00:00", []],
    ] as const) {
      assert.deepEqual(await idsFor(query), expected, query);
    }
  });

  it("mark only the current page in the navigation", async () => {
    for (const [path, place] of [
      ["/admin/jobs", "Jobs"],
      [`/admin/jobs/${ids.failed}`, "Jobs"],
      ["/admin/db", "Database"],
    ] as const) {
      const { text } = await operated.operator.get(path);
      assert.deepEqual(
        [...text.matchAll(/<a [^>]*aria-current="page">([^<]*)</g)].map(([, name]) => name),
        [place],
        path,
      );
    }
  });

  it("redirect from an id to its page, and report an invalid id", async () => {
    const answer = await operated.operator.get(`/admin/jobs?id=${ids.failed.toUpperCase()}`);
    assert.deepEqual(
      [answer.status, answer.headers.get("location")],
      [303, `/admin/jobs/${ids.failed}`],
    );
    assert.match(
      (await operated.operator.get("/admin/jobs?id=7")).text,
      /Not a valid job id: ids are UUIDs\./,
    );
  });

  it("reload when asked, at most once an hour and at least once a second", async () => {
    for (const [query, header] of [
      ["", null],
      ["?refresh=5", "5"],
      ["?refresh=3600&job=echo", "3600"],
      ["?refresh=0", null],
      ["?refresh=3601", null],
      ["?refresh=5;url=https://x.test", null],
    ] as const)
      assert.equal(
        (await operated.operator.get(`/admin/jobs${query}`)).headers.get("refresh"),
        header,
        query,
      );
  });

  it("show the throughput and the failures of each Job", async () => {
    const { text } = await operated.operator.get("/admin/jobs");
    const line =
      /<a href="\/admin\/jobs\?job=echo">echo<\/a><\/th>([\s\S]*?)<\/tr>/.exec(text)?.[1] ?? "";
    assert.deepEqual(
      [...line.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell]) => cell).slice(0, 6),
      ["0", "", "0", "1", "1", "50.0 %"],
    );
  });

  it("show the details of a job: state, error, worker, request, events and files", async () => {
    const [row] = await operated.database.sql<
      { worker: string; requestId: string }[]
    >`select worker, request_id as "requestId" from queued_jobs where id = ${ids.failed}`;
    const { status, text } = await operated.operator.get(`/admin/jobs/${ids.failed}`);
    assert.equal(status, 200);
    for (const part of [
      "TASK_FAILED",
      "The job failed permanently, as its parameters request.",
      row?.worker ?? "?",
      row?.requestId ?? "?",
      "ann@example.test",
      "&lt;script&gt;alert(1)&lt;/script&gt;",
    ])
      assert.ok(text.includes(part), part);
    assert.deepEqual(
      [...text.matchAll(/<td class="status \w+">(\w+)<\/td>/g)].map(([, type]) => type),
      ["QUEUED", "STARTED", "FAILED"],
    );
    assert.ok(!text.includes("<script"));
    assert.ok(!text.includes("a secret key"));
    const placed = (await operated.operator.get(`/admin/jobs/${ids.placed}`)).text;
    const [, address = ""] =
      /<a href="(\/files\/photos\/[^"]+)">[^<]*&lt;b&gt;\.jpg<\/a><\/td>\s*<td>image\/png/.exec(
        placed,
      ) ?? [];
    const file = await fetch(`${operated.url}${address.replaceAll("&amp;", "&")}`);
    assert.deepEqual([file.status, file.headers.get("content-type")], [200, "image/png"]);
    assert.deepEqual(
      [
        ...(await operated.operator.get(`/admin/jobs/${ids.bobs}`)).text.matchAll(
          /<td class="status \w+">(\w+)<\/td>/g,
        ),
      ].map(([, type]) => type),
      ["QUEUED", "STARTED", "RETRYING", "STARTED", "SUCCEEDED"],
    );
  });

  it("show the last event of a deleted job, and 404 for an unknown or invalid id", async () => {
    const { status, text } = await operated.operator.get(`/admin/jobs/${ids.deleted}`);
    assert.equal(status, 200);
    assert.match(text, /This job was <span class="status DELETED">deleted<\/span>/);
    for (const id of [uuidv7(), "7", encodeURIComponent(EVIL)]) {
      const nothing = await operated.operator.get(`/admin/jobs/${id}`);
      assert.equal(nothing.status, 404);
      assert.match(nothing.text, /No job and no event has the id/);
      assert.ok(!nothing.text.includes("<script"));
    }
  });
});
