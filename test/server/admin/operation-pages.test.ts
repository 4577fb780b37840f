import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ANY_JOB } from "../../../src/services/reads/operator-search.js";
import type { OperatorAnswer } from "../../support/clients/operator-client.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { eventually } from "../../support/runner/eventually.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const NONE = "01987654-3210-7000-8000-000000000000";
const PATH = "/admin/operations";

describe("the operation pages", () => {
  let acting: TestService;
  let ann: TestClient;
  let user: string;
  before(async () => {
    acting = await startTestService({
      operated: true,
      workers: 1,
      env: { ADMIN_ACTIONS: "true" },
    });
    ann = await acting.person({ email: "ann@example.test" });
    user = (await ann.get("{ me { id } }")).me.id;
  });
  after(() => acting.close());

  const open = (path: string) => acting.operator.get(path);
  const act = (fields: Record<string, string>) => acting.operator.post(PATH, fields);
  const leadsTo = (answer: OperatorAnswer) => answer.headers.get("location") ?? "";
  const failed = async () => {
    const { id } = await ann.enqueue("echo", { failPermanently: true });
    await ann.finished(id);
    return id;
  };
  const statusOf = async (id: string) => (await ann.job(id))?.status;

  it("ask for confirmation of what a search matches, then show the progress", async () => {
    const ids = [await failed(), await failed()];
    const search = `user=ann%40example.test&code=TASK_FAILED`;
    const { text } = await open(`/admin/jobs?${search}`);
    assert.match(text, /<button class="second" name="action" value="RETRY">Retry all that match…/);
    assert.match(text, /<input type="hidden" name="user" value="ann@example.test">/);
    const asked = await open(`${PATH}/new?action=CANCEL&${search}`);
    assert.match(asked.text, /matches <strong>0 jobs<\/strong>/);
    assert.doesNotMatch(asked.text, /<button>/);
    const asked2 = await open(`${PATH}/new?action=DELETE&${search}`);
    assert.match(asked2.text, /matches <strong>2 jobs<\/strong> in the state\s+SUCCESS or FAILED/);
    assert.match(asked2.text, /<button>Delete 2 jobs<\/button>/);
    const started = await act({ action: "DELETE", user: "ANN@example.test", code: "TASK_FAILED" });
    assert.equal(started.status, 303);
    assert.match(leadsTo(started), /^\/admin\/operations\/[0-9a-f-]{36}\?refresh=2$/);
    const page = await eventually("the operation has finished", async () => {
      const answer = await open(leadsTo(started));
      assert.ok(answer.text.includes("RUNNING") === (answer.headers.get("refresh") === "2"));
      return answer.text.includes("FINISHED") && answer.text;
    });
    assert.match(page, /Delete: 2 of 2 jobs done,\s+0 skipped/);
    assert.deepEqual(await Promise.all(ids.map((id) => statusOf(id))), [undefined, undefined]);
    assert.match((await open(PATH)).text, new RegExp(`User: ${user}, Error code: TASK_FAILED`));
  });

  it("change a single job at once, and say why it was not changed", async () => {
    const { id } = await ann.enqueue(
      "echo",
      {},
      { runAt: new Date(Date.now() + 3600_000).toISOString() },
    );
    const press = async (action: string) => {
      const answer = await act({ action, id });
      assert.match(leadsTo(answer), new RegExp(`^/admin/jobs/${id}\\?operation=[0-9a-f-]{36}$`));
      return (await open(leadsTo(answer))).text;
    };
    assert.match((await open(`/admin/jobs/${id}`)).text, /value="CANCEL">Cancel this job</);
    assert.match(await press("CANCEL"), /<p role="status">The job was cancelled\.<\/p>/);
    assert.match(
      await press("CANCEL"),
      /The job was not cancelled: only a job that is PENDING or STARTED can be cancelled\./,
    );
    const page = (await open(`/admin/jobs/${id}`)).text;
    assert.match(page, /value="RETRY">Retry this job</);
    assert.match(page, /value="DELETE">Delete this job…</);
    assert.match(await press("DELETE"), /The job was deleted\./);
    assert.equal(await statusOf(id), undefined);
  });

  it("record who did what, newest first", async () => {
    const { text } = await open("/admin/audit");
    const lines = [...text.matchAll(/<th scope="row" class="short">([^<]*)<\/th>/g)];
    assert.deepEqual(
      lines.slice(0, 3).map(([, action]) => action),
      ["delete jobs", "cancel jobs", "cancel jobs"],
    );
    assert.match(text, /admin \(127\.0\.0\.1\)/);
    assert.match(text, /<a href="\/admin\/operations\/[0-9a-f-]{36}">operation<\/a>/);
  });

  it("stop an operation", async () => {
    const worker = await acting.database.sql`
      insert into operations (id, action, state, actor, request_id, filter, position, bound,
        created_at, updated_at)
      values (${NONE}, 'RETRY', 'RUNNING', 'a', 'r', ${JSON.stringify(ANY_JOB)}::jsonb, ${NONE}, ${NONE}, now(),
        now()) returning id`;
    assert.equal(worker.length, 1);
    const first = await acting.operator.post(`${PATH}/${NONE}/stop`, {});
    // A worker may have ended it before.
    assert.ok([303, 409].includes(first.status), first.text);
    const again = await acting.operator.post(`${PATH}/${NONE}/stop`, {});
    assert.equal(again.status, 409);
    assert.match(again.text, /The operation does not run: it has finished or was stopped\./);
  });

  it("refuse what is not a search, and find no unknown operation", async () => {
    for (const [fields, sentence] of [
      [{ action: "RETRY" }, "An operation needs at least one condition: search first."],
      [{ action: "STOP", user }, "Not a valid action: the actions are RETRY, CANCEL, DELETE."],
      [{ action: "RETRY", user: "x@y.z" }, "No user has this id or e-mail address."],
      [{ action: "RETRY", id: "7" }, "Not a valid job id: ids are UUIDs."],
      [{ action: "DELETE", status: "failed" }, "Not a valid state: the states are PENDING, "],
      [{ action: "DELETE", photo: "7" }, "Not a valid photo id: ids are UUIDs."],
      [{ action: "DELETE", from: "now" }, "Not a valid time: write 2026-11-30T14:05, in UTC."],
    ] as const) {
      const answer = await act(fields);
      assert.equal(answer.status, 400, sentence);
      assert.ok(answer.text.includes(`<p class="refused" role="alert">${sentence}`), answer.text);
      const query = new URLSearchParams(fields).toString();
      assert.ok((await open(`${PATH}/new?${query}`)).text.includes(sentence));
    }
    for (const id of ["0198f3a0-0000-7000-8000-000000000009", "7", "%00"])
      assert.equal((await open(`${PATH}/${id}`)).status, 404, id);
  });

  it("answer 405 to every action unless ADMIN_ACTIONS is true, and show no button", async () => {
    const shown = await startTestService({ operated: true, workers: 0 });
    const { id } = await (await shown.person()).enqueue("echo");
    for (const path of [PATH, `${PATH}/${NONE}/stop`]) {
      const answer = await shown.operator.post(path, { action: "CANCEL", id });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"]);
      assert.match(
        answer.text,
        /These pages only show: set ADMIN_ACTIONS=true to enable actions\./,
      );
    }
    for (const path of [
      "/admin/jobs?job=echo",
      `/admin/jobs/${id}`,
      `${PATH}/new?action=CANCEL&id=${id}`,
    ])
      assert.doesNotMatch(
        (await shown.operator.get(path)).text,
        /name="action"|method="post"/,
        path,
      );
    assert.deepEqual([...(await shown.database.sql`select from operations`)].length, 0);
    await shown.close();
  });

  it("accept actions only from their own pages", async () => {
    const id = await failed();
    const forged = await acting.operator.post(
      PATH,
      { action: "RETRY", id },
      {
        "sec-fetch-site": "cross-site",
      },
    );
    assert.deepEqual([forged.status, await statusOf(id)], [403, "FAILED"]);
  });
});
