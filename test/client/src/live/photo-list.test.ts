import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createPhotoList } from "../../../../client/src/index.js";
import type { PhotoListOptions } from "../../../../client/src/live/photo-pages.js";
import { noise } from "../../../imaging/noise.js";
import { eventually } from "../../../support/runner/eventually.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { proxiedClientOf } from "../../client-of.js";

describe("the live list of photos", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service?.close());

  it("shows uploads and deletions of all clients, across cuts and an expired cursor", async (t) => {
    const { client, proxy, person } = await proxiedClientOf(t, service);
    const upload = async () => {
      const { json } = await person.upload(smallPhoto(), { type: "image/png" });
      return String(json["id"]);
    };
    const ids = [await upload()];
    ids.unshift(await upload());
    const list = createPhotoList(client, { first: 1 });
    const shown = () => list.getSnapshot().photos.map(({ id }) => id);
    t.after(list.subscribe(() => {}));
    await eventually("the list is live", () => list.getSnapshot().isLive);
    assert.deepEqual([shown(), list.getSnapshot().hasMore], [[ids[0]], true]);
    await list.loadMore();
    ids.unshift(await upload());
    await eventually("the upload shows", () => shown().length === 3);
    assert.deepEqual(shown(), ids);
    const [newest] = list.getSnapshot().photos;
    assert.match(newest?.previewUrl ?? "", /^http/);

    proxy.down();
    ids.unshift(await upload());
    await person.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: ids.splice(2, 1)[0] });
    proxy.up();
    await eventually("both show", () => shown().join() === ids.join());

    proxy.down();
    ids.unshift(await upload());
    await service.database.sql`update user_streams set floor_seq = last_seq`;
    proxy.up();
    await eventually("the list was read again", () => shown().join() === ids[0]);
    assert.equal(list.getSnapshot().hasMore, true);
  });

  it("has, for each filter and order, the same photos as the service", async (t) => {
    const { client, person } = await proxiedClientOf(t, service);
    const lists: PhotoListOptions[] = [
      {},
      { orderBy: "TAKEN" },
      { filter: { takenAfter: "2024-05-03T10:00", takenBefore: "2024-05-05T10:00:00" } },
      { filter: { takenBefore: "2024-05-03T10:00:00" }, orderBy: "TAKEN" },
      { filter: { camera: ["Canon X1", "None"] } },
      { filter: { filename: "BeAch" }, orderBy: "TAKEN" },
      { filter: { within: { south: -50, west: 170, north: 0, east: -170 } } },
      { filter: { within: { south: -50, west: 0, north: 0, east: 174 } } },
      { filter: { damaged: true } },
      { filter: { damaged: false, camera: ["Canon X1"] } },
    ];
    const live = lists.map((options) => createPhotoList(client, options));
    for (const list of live) t.after(list.subscribe(() => {}));
    await eventually("all are live", () => live.every((list) => list.getSnapshot().isLive));

    for (let i = 0; i < 12; i++) {
      const picture = noise(64, 64, i + 1).jpeg();
      if (i % 4 > 0)
        picture.withExif({
          IFD0: i % 3 > 0 ? { Make: "Canon", Model: "X1" } : {},
          IFD2: { DateTimeOriginal: `2024:05:0${1 + (i % 5)} 10:00:00` },
          IFD3: {
            GPSLatitudeRef: "S",
            GPSLatitude: "41/1 30/1 0/1",
            GPSLongitudeRef: i % 2 ? "E" : "W",
            GPSLongitude: "174/1 0/1 0/1",
          },
        });
      const bytes = await picture.toBuffer();
      const filename = i % 3 ? "a Beach.jpg" : "b.jpg";
      // A picture that ends in the middle is damaged.
      await person.upload(i % 5 ? bytes : bytes.subarray(0, bytes.length / 2), { filename });
    }
    for (const [i, list] of live.entries()) {
      const { first = 50, ...variables } = lists[i] ?? {};
      const { photos } = (await client.query(
        "query ($first: Int, $filter: PhotoFilter, $orderBy: PhotoOrder) { photos(first: $first, " +
          "filter: $filter, orderBy: $orderBy) { nodes { id } } }",
        { first, ...variables },
      )) as { photos: { nodes: { id: string }[] } };
      const ids = photos.nodes.map(({ id }) => id);
      assert.ok(ids.length > 0, JSON.stringify(variables));
      const shown = () => list.getSnapshot().photos.map(({ id }) => id);
      await eventually("the list has as many", () => shown().length === ids.length);
      assert.deepEqual(shown(), ids, JSON.stringify(variables));
    }
  });
});
