// An archive in the whole service, from the upload to the download.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TestClient } from "../../support/clients/test-client.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { readZip } from "./read-zip.js";

const OUTPUTS = "query ($id: ID!) { queuedJob(id: $id) { outputs { name mimeType url } } }";

describe("an archive of a user's photos", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({ env: { MAX_STORED_BYTES_PER_USER: "400000" } });
    person = await service.person();
  });
  after(() => service.close());

  async function upload(bytes: Buffer, filename: string): Promise<string> {
    return String((await person.upload(bytes, { filename })).json["id"]);
  }
  const archived = async (photoIds: string[]) =>
    person.finished((await person.enqueue("archive", {}, { photoIds })).id, 60_000);

  it("is downloaded as photos.zip, and reused for the same photos", async () => {
    const bytes = [smallPhoto(), smallPhoto(20, 20), smallPhoto(9, 9)];
    const photoIds = await Promise.all(bytes.map((one) => upload(one, "Füße.png")));
    const { id, status, result } = await archived(photoIds);
    const [output] = (await person.get(OUTPUTS, { id })).queuedJob.outputs;
    const response = await fetch(new URL(output.url, service.url));
    const file = Buffer.from(await response.arrayBuffer());
    assert.deepEqual([status, result], ["SUCCESS", { files: 3, byteSize: file.length }]);
    assert.deepEqual(
      [output.name, output.mimeType, response.headers.get("content-type")],
      ["photos.zip", "application/zip", "application/zip"],
    );
    assert.match(response.headers.get("content-disposition") ?? "", /filename="photos\.zip"/);
    assert.deepEqual(
      readZip(file).map((entry) => [entry.name, entry.bytes]),
      [
        ["Füße.png", bytes[0]],
        ["Füße (2).png", bytes[1]],
        ["Füße (3).png", bytes[2]],
      ],
    );
    const again = await archived(photoIds);
    const { reusedFrom } = (
      await person.get("query ($id: ID!) { queuedJob(id: $id) { reusedFrom } }", { id: again.id })
    ).queuedJob;
    assert.deepEqual([again.result, reusedFrom], [result, id]);
  });

  it("has up to 500 photos, in one submission of at most 500", async () => {
    const few = await Promise.all([smallPhoto(), smallPhoto()].map((one) => upload(one, "a.png")));
    const many = Array.from({ length: 500 }, (_, i) => few[i % 2] ?? "");
    const { status, result } = await archived(many);
    assert.deepEqual([status, (result as { files: number }).files], ["SUCCESS", 500]);
    const refused = await person.ask(
      "mutation ($input: EnqueueJobInput!) { enqueueJob(input: $input) { id } }",
      { input: { job: "archive", photoIds: [...many, many[0]] } },
    );
    assert.deepEqual(
      refused.errors?.[0]?.extensions.issues?.map(({ path, message }) => [path, message]),
      [[["photoIds"], '"archive" takes 1 to 500 photos, but the list has 501']],
    );
  });

  it("fails with QUOTA_EXCEEDED when there is no room for it", async () => {
    const photoId = await upload(smallPhoto(180, 180), "large.png");
    const { status, error } = await archived(Array.from({ length: 4 }, () => photoId));
    assert.deepEqual([status, error?.code], ["FAILED", "QUOTA_EXCEEDED"]);
  });
});
