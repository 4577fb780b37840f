import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { imageLoader, keepOutput, readPictures } from "../../../client/src/images.js";
import { createPhotoList, type PhotoService } from "../../../client/src/index.js";
import { noise } from "../../imaging/noise.js";
import { eventually } from "../../support/runner/eventually.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { clientOf } from "../client-of.js";

describe("the images of the client package", () => {
  let service: TestService;
  let client: PhotoService;
  before(async () => {
    service = await startTestService();
    ({ client } = clientOf({ url: service.url, token: await service.token() }));
  });
  after(async () => {
    client?.close();
    await service?.close();
  });

  it("are read in pages, with absolute URLs for each width and format", async () => {
    for (const seed of [1, 2])
      await client.upload(new Blob([await noise(300, 200, seed).jpeg().toBuffer()]));
    const { pictures, hasMore, endCursor } = await readPictures(client, {
      first: 1,
      maxWidth: 256,
    });
    const [picture] = pictures;
    assert.ok(picture && hasMore && pictures.length === 1);
    const urls = [picture.avif, picture.webp].flatMap((srcset) =>
      srcset.split(", ").map((entry) => entry.split(" ")),
    );
    assert.deepEqual(
      urls.map(([, width]) => width),
      ["64w", "128w", "256w", "64w", "128w", "256w"],
    );
    for (const [url = "", type] of [
      [urls[0]?.[0], "image/avif"],
      [urls[5]?.[0], "image/webp"],
      [picture.jpeg, "image/jpeg"],
    ]) {
      const response = await fetch(url);
      assert.deepEqual([response.status, response.headers.get("content-type")], [200, type]);
    }
    const next = await readPictures(client, { after: endCursor });
    assert.deepEqual([next.pictures.length, next.hasMore], [1, false]);
    assert.match(next.pictures[0]?.webp ?? "", / 300w$/);
  });

  it("include outputs that are kept, which appear in live lists", async (t) => {
    const list = createPhotoList(client);
    t.after(list.subscribe(() => {}));
    const photo = await client.upload(new Blob([await noise(300, 200, 3).jpeg().toBuffer()]));
    const job = await client.finished(await client.run("thumbnail", { widths: [100] }, [photo]));
    const kept = await keepOutput(client, job, job.outputs[0]?.name ?? "");
    assert.deepEqual([kept.width, kept.id === photo.id], [100, false]);
    assert.equal((await fetch(kept.url)).status, 200);
    assert.equal((await keepOutput(client, job, job.outputs[0]?.name ?? "")).id, kept.id);
    await eventually("the list shows it once", () => {
      const ids = list.getSnapshot().photos.map(({ id }) => id);
      return ids.filter((id) => id === kept.id).length === 1;
    });
  });

  it("have a loader that chooses the next wider image, and the widest for more", () => {
    const load = imageLoader("/a?exp=1&sig=x 64w, /b?exp=1&sig=y 128w, /c?exp=1&sig=z 300w");
    const chosen = [16, 64, 65, 300, 5000].map((width) => load({ width }).slice(0, 2));
    assert.deepEqual(chosen, ["/a", "/a", "/b", "/c", "/c"]);
  });
});
