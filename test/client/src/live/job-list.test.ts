import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createLiveJob, createPhotoList } from "../../../../client/src/index.js";
import { eventually } from "../../../support/runner/eventually.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { clientOf, proxiedClientOf } from "../../client-of.js";

describe("the live list of jobs", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service?.close());

  it("stays current across lost connections and an expired cursor", async (t) => {
    const { client, proxy, person } = await proxiedClientOf(t, service);
    const list = client.jobs();
    t.after(list.subscribe(() => {}));
    const ids: string[] = [];
    for (const isExpired of [null, false, true]) {
      if (isExpired !== null) proxy.down();
      ids.unshift((await person.finished((await person.enqueue("echo")).id)).id);
      if (isExpired) await service.database.sql`update user_streams set floor_seq = last_seq`;
      if (isExpired !== null) {
        await eventually("the loss shows", () => list.getSnapshot().error?.code === "UNREACHABLE");
        proxy.up();
      }
      await eventually("the list has the job", () => {
        const [job] = list.getSnapshot().jobs;
        return job?.id === ids[0] && job?.status === "SUCCESS";
      });
      await eventually("the list is live", () => list.getSnapshot().isLive);
      assert.deepEqual(
        list.getSnapshot().jobs.map(({ id, version }) => [id, version]),
        ids.map((id) => [id, 3]),
      );
    }
  });

  it("says why it cannot start while the service is away, and starts when it is back", async (t) => {
    const { client, proxy } = await proxiedClientOf(t, service);
    proxy.down();
    const [list, photos] = [client.jobs(), createPhotoList(client)];
    const byId = createLiveJob(client, "not an id");
    for (const live of [list, photos, byId]) t.after(live.subscribe(() => {}));
    const errors = () => [list, photos, byId].map((live) => live.getSnapshot().error?.code);
    await eventually("all say why", () => errors().every((code) => code === "UNREACHABLE"));
    proxy.up();
    await eventually("the list is live", () => list.getSnapshot().isLive);
    await eventually("the photos are read", () => !photos.getSnapshot().error);
    await eventually("the job is read", () => errors().at(-1) === "BAD_USER_INPUT");
    assert.equal(list.getSnapshot().error, null);
  });

  it("goes on from its cursor when a subscriber comes back, without reading again", async (t) => {
    const person = await service.person();
    const { client } = clientOf({ url: service.url, token: person.token });
    t.after(() => client.close());
    const types: string[] = [];
    const list = client.jobs({ onEvent: ({ type }) => types.push(type) });
    list.subscribe(() => {})();
    const stop = list.subscribe(() => {});
    await eventually("the list is live", () => list.getSnapshot().isLive);
    stop();
    const { id } = await person.finished((await person.enqueue("echo")).id);
    assert.equal(list.getSnapshot().jobs.length, 0);
    t.after(list.subscribe(() => {}));
    await eventually("the events have arrived", () => types.length === 3);
    assert.deepEqual(types, ["QUEUED", "STARTED", "SUCCEEDED"]);
    assert.equal(list.getSnapshot().jobs[0]?.id, id);
  });

  it("completes jobs of another client with their photos and parameters", async (t) => {
    const person = await service.person();
    const { client } = clientOf({ url: service.url, token: person.token });
    t.after(() => client.close());
    const list = client.jobs();
    t.after(list.subscribe(() => {}));
    await eventually("the list is live", () => list.getSnapshot().isLive);
    const { json } = await person.upload(smallPhoto());
    await person.enqueue("thumbnail", { widths: [16] }, { photoIds: [json["id"]] });
    const job = await eventually("the job has its photo", () => {
      const [one] = list.getSnapshot().jobs;
      return one?.photos.length === 1 && one.status === "SUCCESS" && one;
    });
    assert.equal(job.photos[0]?.id, json["id"]);
    assert.deepEqual(job.parameters, { widths: [16], format: "webp" });
    assert.ok(job.photos[0]?.url.startsWith("http://127.0.0.1"));
  });

  it("reads older pages, filters, and removes what was deleted", async (t) => {
    const { client } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => client.close());
    const ids: string[] = [];
    for (let i = 0; i < 5; i++)
      ids.unshift((await client.finished(await client.run("echo", {}))).id);
    const list = client.jobs({ first: 2 });
    const failed = client.jobs({ status: ["FAILED"], job: ["echo"] });
    t.after(list.subscribe(() => {}));
    t.after(failed.subscribe(() => {}));
    const shown = () => list.getSnapshot().jobs.map(({ id }) => id);
    await eventually("both are live", () =>
      [list, failed].every((one) => one.getSnapshot().isLive),
    );
    assert.deepEqual([shown(), list.getSnapshot().hasMore], [ids.slice(0, 2), true]);
    // An event of a row that has not been read does not show it before its page.
    await client.delete(ids[3] ?? "");
    await list.loadMore();
    assert.deepEqual(
      shown(),
      [0, 1, 2, 4].map((i) => ids[i]),
    );
    assert.equal(list.getSnapshot().hasMore, false);
    await client.delete(ids[0] ?? "");
    await eventually("it has left the list", () => !shown().includes(ids[0] ?? ""));

    assert.deepEqual(failed.getSnapshot().jobs, []);
    const job = await client.run("echo", { failPermanently: true });
    await eventually("the failed one shows", () => failed.getSnapshot().jobs[0]?.id === job.id);
    await client.retry(job);
    await eventually("it is in both lists again", () => {
      const version = (one: typeof list) => one.getSnapshot().jobs[0]?.version;
      return version(list) === 6 && version(failed) === 6;
    });
  });
});
