import assert from "node:assert/strict";
import { hostname } from "node:os";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/runner/eventually.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const PATH = "/admin/workers";

describe("the page of workers", () => {
  let acting: TestService;
  let ann: TestClient;
  before(async () => {
    acting = await startTestService({ operated: true, workers: 1, env: { ADMIN_ACTIONS: "true" } });
    ann = await acting.person({ email: "ann@example.test" });
  });
  after(() => acting.close());
  /** The cells of each worker as text, without markup. */
  const rows = async () =>
    [...(await acting.operator.get(PATH)).text.matchAll(/<tr>\s*<th scope="row">([\s\S]*?)<\/tr>/g)]
      .map(([, row = ""]) => row.split(/<\/t[dh]>/))
      .map((cells) => cells.map((cell) => cell.replace(/(<[^>]*>|\s)+/g, " ").trim()));
  const nameOf = async () => (await rows())[0]?.[11] ?? "";

  it("has a row for each process with host, pid, state, slots, memory and version", async () => {
    const [row] = await eventually("it reports itself", async () => {
      const list = await rows();
      return list.length === 1 && list;
    });
    const [host, pid, state, , , tasks, photos, runs, memory, , version, name] = row ?? [];
    assert.deepEqual(
      [host, pid, state, tasks, photos, runs],
      [hostname(), String(process.pid), "running", "0 / 100", "0 / 2", ""],
    );
    assert.match(memory ?? "", /^\d{2,4} MB$/);
    assert.match(version ?? "", /^\d+\.\d+\.\d+/);
    assert.ok(name?.startsWith(`${hostname()}:${process.pid}:`));
  });

  it("shows what a worker runs, and since when, with a link to it", async () => {
    const { id } = await ann.enqueue("echo", { durationMs: 60_000 });
    await eventually("it runs", async () => (await ann.job(id))?.status === "STARTED");
    const { text } = await acting.operator.get(PATH);
    assert.match(text, new RegExp(`<a href="/admin/jobs/${id}">echo\\s`));
    const [row] = await rows();
    assert.equal(row?.[5], "1 / 100");
    assert.match(row?.[7] ?? "", /^echo …[0-9a-f]{6} \d+ s$/);
    await ann.get("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", { id });
  });

  it("drains a worker within five seconds, until it takes work again", async () => {
    const running = await ann.enqueue("echo", { durationMs: 1000 });
    await eventually("it runs", async () => (await ann.job(running.id))?.status === "STARTED");
    const name = await nameOf();
    assert.equal((await acting.operator.post(`${PATH}/drain`, { name })).status, 303);
    const ordered = Date.now();
    await eventually("it drains", async () => (await rows())[0]?.[2] === "draining", 6000);
    assert.ok(Date.now() - ordered < 6000);
    assert.equal((await ann.finished(running.id)).status, "SUCCESS");
    const waiting = await ann.enqueue("echo");
    assert.match((await acting.operator.get(PATH)).text, /Take work again/);
    assert.equal((await ann.job(waiting.id))?.status, "PENDING");
    assert.equal((await acting.operator.post(`${PATH}/undrain`, { name })).status, 303);
    assert.equal((await ann.finished(waiting.id, 15_000)).status, "SUCCESS");
  });

  it("answers 404 for an unknown worker", async () => {
    const answer = await acting.operator.post(`${PATH}/drain`, { name: "<b>" });
    assert.equal(answer.status, 404);
    assert.match(answer.text, /No worker has the name <code>&lt;b&gt;<\/code>/);
  });

  it("shows a worker as stopped after a clean end", async () => {
    const second = await acting.addWorker();
    await eventually("it reports itself", async () => (await rows()).length === 2);
    await second.close();
    await eventually("it has stopped, beside the first one", async () => {
      const states = (await rows()).map((row) => row[2]);
      return states.join() === "running,stopped";
    });
  });
});
