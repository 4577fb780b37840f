import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { idOfNothing } from "../../support/asserts/broken-ids.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import type { TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const NODE =
  "query ($id: ID!) { node(id: $id) { __typename id ... on User { email } ... on Job { " +
  "name } ... on QueuedJob { status photos { id } job { name } } ... on Photo { mimeType " +
  "url } } }";

describe("node", () => {
  let service: TestService;
  let owner: TestClient;
  let ids: { User: string; QueuedJob: string; Photo: string };
  before(async () => {
    service = await startTestService({ workers: 0 });
    owner = await service.person();
    const Photo = String((await owner.upload(smallPhoto(), { type: "image/png" })).json["id"]);
    ids = {
      User: (await owner.get("{ me { id } }")).me.id,
      Photo,
      QueuedJob: (await owner.enqueue("metadata", {}, { photoIds: [Photo] })).id,
    };
  });
  after(() => service.close());

  it("returns each type of object by its id, in lower or upper case", async () => {
    for (const [kind, id] of Object.entries(ids)) {
      for (const spelling of [id, id.toUpperCase()]) {
        const { node } = await owner.get(NODE, { id: spelling });
        assert.deepEqual([node.__typename, node.id], [kind, id]);
      }
    }
    assert.deepEqual((await owner.get(NODE, { id: "echo" })).node, {
      __typename: "Job",
      id: "echo",
      name: "echo",
    });
  });

  it("resolves the fields of the object", async () => {
    assert.deepEqual((await owner.get(NODE, { id: ids.QueuedJob })).node, {
      __typename: "QueuedJob",
      id: ids.QueuedJob,
      status: "PENDING",
      photos: [{ id: ids.Photo }],
      job: { name: "metadata" },
    });
    const { node } = await owner.get(NODE, { id: ids.Photo });
    assert.equal(node.mimeType, "image/png");
    assert.match(node.url, /^\/files\/photos\//);
  });

  it("is null for an unknown id, and for another user's object", async () => {
    const other = await service.person();
    for (const id of [...Object.values(ids), idOfNothing(), "no-such-job", "0"])
      assert.equal((await other.get(NODE, { id })).node, null, id);
  });

  it("returns the objects of all users to an admin", async () => {
    const admin = await service.admin();
    for (const [kind, id] of Object.entries(ids))
      assert.equal((await admin.get(NODE, { id })).node.__typename, kind);
  });

  it("refuses an empty id", async () => {
    assertRefused(
      (await owner.ask(NODE, { id: "" })).errors,
      "BAD_USER_INPUT",
      "id: must not be empty",
      ["id"],
    );
  });
});
