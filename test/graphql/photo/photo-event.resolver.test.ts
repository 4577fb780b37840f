import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestClient } from "../../support/clients/test-client.js";
import { openEventStream } from "../../support/clients/event-stream.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { eventually } from "../../support/runner/eventually.js";
import { noise } from "../../imaging/noise.js";

const FIELDS = "id filename url previewUrl thumbhash takenAt takenAtOffset camera damaged madeBy";
const SUBSCRIPTION =
  "subscription ($after: String) { photoEvents(after: $after) { cursor type at " +
  `photo { ${FIELDS} location { latitude longitude altitude } } } }`;

describe("photoEvents", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService();
    person = await service.person();
  });
  after(() => service.close());

  const picture = async () =>
    noise(40, 30)
      .jpeg()
      .withExif({
        IFD0: { Make: "Canon", Model: "Canon X1" },
        IFD2: { DateTimeOriginal: "2024:05:06 07:08:09", OffsetTimeOriginal: "+02:00" },
      })
      .toBuffer();

  interface Result {
    data?: { photoEvents?: { type: string; cursor: string; photo: Record<string, unknown> } };
    errors?: { extensions: { code: string } }[];
  }
  async function open(variables: object = {}) {
    const stream = await openEventStream(person.url, person.token, {
      query: SUBSCRIPTION,
      variables,
    });
    const results = stream.results as Result[];
    return {
      stop: stream.stop,
      at: (i: number) => eventually(`event ${i} arrives`, () => results[i]),
    };
  }

  it("show an upload with its metadata, and its deletion, beside events of QueuedJobs", async () => {
    const { photos } = await person.get("{ photos { eventCursor } }");
    const stream = await open({ after: photos.eventCursor });
    const { status, json } = await person.upload(await picture(), { filename: "é.jpg" });
    assert.equal(status, 201, JSON.stringify(json));
    await person.finished((await person.enqueue("echo")).id);
    await person.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: json["id"] });
    const [added, deleted] = [await stream.at(0), await stream.at(1)].map(
      ({ data }) => data?.photoEvents ?? assert.fail(),
    );
    assert.deepEqual([added?.type, deleted?.type], ["ADDED", "DELETED"]);
    assert.deepEqual(
      {
        id: json["id"],
        filename: "é.jpg",
        takenAt: "2024-05-06T07:08:09",
        takenAtOffset: "+02:00",
        camera: "Canon X1",
        damaged: null,
        madeBy: null,
        location: null,
      },
      Object.fromEntries(
        Object.entries(added?.photo ?? {}).filter(
          ([name]) => !["url", "previewUrl", "thumbhash"].includes(name),
        ),
      ),
    );
    assert.equal(typeof added?.photo["previewUrl"], "string");
    stream.stop();
    const jobs = person.events({ after: photos.eventCursor });
    await jobs.next("SUCCEEDED", ({ type }) => type === "SUCCEEDED");
    assert.equal(jobs.events[0]?.type, "QUEUED");
    jobs.stop();
    // The cursor of a QueuedJob's event resumes the photos.
    const later = await open({ after: jobs.events[0]?.cursor });
    assert.equal((await later.at(0)).data?.photoEvents?.type, "DELETED");
    later.stop();
  });

  it("refuse a cursor that is malformed or of another user", async () => {
    const other = await service.person();
    for (const cursor of ["", "x", await other.cursor()]) {
      const stream = await open({ after: cursor });
      assert.equal((await stream.at(0)).errors?.[0]?.extensions.code, "BAD_USER_INPUT");
      stream.stop();
    }
  });

  it("show the reason why a photo is damaged", async () => {
    const one = await service.person();
    const cut = (await noise(400, 400).png().toBuffer()).subarray(0, 20_000);
    const { json } = await one.upload(cut, { type: "image/png" });
    const query = `query ($id: ID!) { photo(id: $id) { ${FIELDS} } }`;
    // On a busy machine the worker finds it out after the upload.
    const photo = await eventually("the damage is known", async () => {
      const { photo: row } = await one.get(query, { id: json["id"] });
      return typeof row.damaged === "string" && row;
    });
    assert.equal(photo.previewUrl, null);
    const { photos } = await one.get("{ photos(filter: { damaged: true }) { nodes { id } } }");
    assert.deepEqual(photos.nodes, [{ id: json["id"] }]);
  });
});
