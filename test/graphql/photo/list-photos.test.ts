// Tests the arguments and cursors of `photos` and `photosByDay`.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { idOfNothing } from "../../support/asserts/broken-ids.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const LIST = `query ($filter: PhotoFilter, $orderBy: PhotoOrder = UPLOADED, $after: String,
    $before: String, $first: Int) {
  photos(filter: $filter, orderBy: $orderBy, after: $after, before: $before, first: $first) {
    nodes { filename } pageInfo { startCursor endCursor hasNextPage } totalCount eventCursor } }`;

describe("photos with filter and order", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({ workers: 0 });
    person = await service.person();
    for (const filename of ["a1.png", "b2.png", "a3.png"])
      await person.upload(smallPhoto(), { type: "image/png", filename });
  });
  after(() => service.close());

  const list = async (variables: object = {}, who = person) =>
    (await who.get(LIST, variables)).photos;
  const names = async (variables: object) =>
    (await list(variables)).nodes.map(({ filename }: { filename: string }) => filename);
  const refused = async (filter: object, path: string[], message: string) => {
    const { errors } = await person.ask(LIST, { filter });
    assertRefused(errors, "BAD_USER_INPUT", `${path.join(".")}: ${message}`, path);
  };

  it("combine conditions, and null means any", async () => {
    assert.deepEqual(await names({ filter: { filename: "A" } }), ["a3.png", "a1.png"]);
    assert.deepEqual(await names({ filter: { filename: null, kept: null }, orderBy: "TAKEN" }), [
      "a3.png",
      "b2.png",
      "a1.png",
    ]);
    assert.deepEqual(await names({ filter: { filename: "a", kept: true } }), []);
  });

  it("repeat the first page's eventCursor, and count what matches", async () => {
    const first = await list({ first: 1, filter: { filename: "a" } });
    await person.enqueue("echo");
    const { endCursor } = first.pageInfo;
    const second = await list({ first: 1, after: endCursor, filter: { filename: "a" } });
    assert.deepEqual(
      [first.totalCount, second.nodes, second.pageInfo.hasNextPage, second.eventCursor],
      [2, [{ filename: "a1.png" }], false, first.eventCursor],
    );
  });

  it("refuse a cursor of another order or filter", async () => {
    const uploaded = (await list({ first: 1 })).pageInfo.endCursor;
    const taken = (await list({ first: 1, orderBy: "TAKEN" })).pageInfo.endCursor;
    const filtered = (await list({ first: 1, filter: { filename: "a" } })).pageInfo.endCursor;
    for (const variables of [
      { after: uploaded, orderBy: "TAKEN" },
      { after: uploaded, filter: { filename: "a" } },
      { after: taken },
      { before: taken },
      { after: filtered },
      { after: filtered, filter: { filename: "b" } },
      { after: filtered, filter: { filename: "a" }, orderBy: "TAKEN" },
    ])
      assert.equal((await person.ask(LIST, variables)).code, "BAD_USER_INPUT");
    assert.deepEqual(await names({ after: uploaded, filter: {} }), ["b2.png", "a1.png"]);
  });

  it("refuse values out of range, with their path", async () => {
    const box = { south: 0, west: 0, north: 1, east: 1 };
    await refused(
      { within: { ...box, south: -91 } },
      ["filter", "within", "south"],
      "must be -90 to 90",
    );
    await refused(
      { within: { ...box, east: 180.5 } },
      ["filter", "within", "east"],
      "must be -180 to 180",
    );
    for (const filename of ["", "x".repeat(201)])
      await refused({ filename }, ["filter", "filename"], "must have 1 to 200 characters");
    for (const time of ["2024-02-30T00:00:00", "2024-01-01T00:00:00Z", "yesterday", "2024-01-01"])
      assert.equal(
        (await person.ask(LIST, { filter: { takenAfter: time } })).code,
        "BAD_USER_INPUT",
        time,
      );
  });

  it("refuse similarTo of a photo that is unknown or another user's, also for admins", async () => {
    const [photo] = (await person.get("{ photos(first: 1) { nodes { id } } }")).photos.nodes;
    const path = ["filter", "similarTo"];
    await refused({ similarTo: idOfNothing() }, path, "is not one of your photos");
    await refused({ similarTo: "x" }, path, "is not an id: ids are UUIDs");
    for (const who of [await service.person(), await service.admin()])
      assertRefused(
        (await who.ask(LIST, { filter: { similarTo: photo.id } })).errors,
        "BAD_USER_INPUT",
        "filter.similarTo: is not one of your photos",
        path,
      );
  });

  it("count photos by day", async () => {
    const days = "query ($filter: PhotoFilter) { photosByDay(filter: $filter) { day count } }";
    assert.deepEqual(await person.get(days), { photosByDay: [{ day: null, count: 3 }] });
    assert.deepEqual(await person.get(days, { filter: { filename: "b" } }), {
      photosByDay: [{ day: null, count: 1 }],
    });
  });
});
