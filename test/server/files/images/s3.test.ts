import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sharp } from "../../../../src/imaging/pixels/pixels.js";
import { noise } from "../../../imaging/noise.js";
import type { TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { startS3Server, type S3Server } from "../../../support/stores/s3-server.js";

const KEEP = `mutation ($id: ID!, $name: String!) {
  keepOutput(queuedJobId: $id, name: $name) { id url image(width: 64) } }`;

describe("images and kept outputs on S3", () => {
  let server: S3Server;
  let service: TestService;
  let owner: TestClient;
  before(async () => {
    server = await startS3Server();
    service = await startTestService({
      env: {
        STORAGE_URL: `s3://${server.bucket}/photos`,
        AWS_ENDPOINT_URL: server.endpoint,
        AWS_ACCESS_KEY_ID: "key",
        AWS_SECRET_ACCESS_KEY: "secret",
      },
    });
    owner = await service.person();
  });
  after(async () => {
    await service.close();
    await server.close();
  });

  const widthAt = async (url: string) => {
    const response = await fetch(new URL(url, service.url));
    assert.equal(response.status, 200);
    return (await sharp(Buffer.from(await response.arrayBuffer())).metadata()).width;
  };

  it("are served by the API, by each process, and outlive the QueuedJob", async () => {
    const bytes = await noise(300, 200).jpeg().toBuffer();
    const photoId = String((await owner.upload(bytes)).json["id"]);
    const { id } = await owner.enqueue("thumbnail", { widths: [200] }, { photoIds: [photoId] });
    assert.equal((await owner.finished(id)).status, "SUCCESS");
    const { keepOutput: photo } = await owner.get(KEEP, { id, name: "200w.webp" });
    await owner.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id });
    assert.match(photo.image, /^\/files\/images\//);
    assert.equal(await widthAt(photo.image), 64);
    assert.equal(await widthAt(photo.url), 200);
    const other = await service.addApi();
    assert.equal(await widthAt(new URL(photo.image, other.url).href), 64);
    const listing = async () =>
      (await (await fetch(`${server.endpoint}/${server.bucket}?list-type=2`)).text()).includes(
        "/renditions/",
      );
    assert.equal(await listing(), true);
    await owner.get("mutation ($id: ID!) { deletePhoto(id: $id) }", { id: photo.id });
    assert.equal(await listing(), false);
    assert.equal((await fetch(new URL(photo.image, service.url))).status, 404);
  });
});
