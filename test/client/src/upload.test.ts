import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { PhotoServiceError } from "../../../client/src/index.js";
import { makePng } from "../../imaging/make-png.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";
import { clientOf, proxiedClientOf } from "../client-of.js";

const noise = (side: number) =>
  makePng({ width: side, height: side, colorType: 2, samples: randomBytes(side * side * 3) });

describe("upload", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ env: { MAX_UPLOAD_BYTES: "1000000" } });
  });
  after(() => service?.close());

  it("returns the Photo with absolute URLs, and the same Photo for the same bytes", async (t) => {
    const { client } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => client.close());
    const file = new Blob([smallPhoto(9, 8)]);
    const photo = await client.upload(file, { filename: "ü \ud800.png" });
    assert.deepEqual([photo.width, photo.height, photo.filename], [9, 8, "ü \ufffd.png"]);
    assert.equal(photo.isNew, true);
    assert.equal((await fetch(photo.url)).status, 200);
    const { id, isNew } = await client.upload(file);
    assert.deepEqual([id, isNew], [photo.id, false]);
  });

  it("reports the progress from 0 to 1", async (t) => {
    const { client } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => client.close());
    const fractions: number[] = [];
    await client.upload(new Blob([noise(400)]), { onProgress: (one) => fractions.push(one) });
    // Without XMLHttpRequest there are no steps between; the test of the hooks is in a browser.
    assert.deepEqual(fractions, [0, 1]);
  });

  it("starts over when the connection breaks, and makes one Photo", async (t) => {
    const { client, proxy, person } = await proxiedClientOf(t, service);
    proxy.down();
    let starts = 0;
    const photo = await client.upload(new Blob([smallPhoto()]), {
      onProgress(fraction) {
        if (fraction === 0 && ++starts === 2) proxy.up();
      },
    });
    assert.ok(starts >= 2);
    const { photos } = await person.get("{ photos { nodes { id } } }");
    assert.deepEqual(photos.nodes, [{ id: photo.id }]);
  });

  it("throws the reason with its code for text, for too many bytes, and after an abort", async (t) => {
    const { client } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => client.close());
    await assert.rejects(client.upload(new Blob(["text"])), { code: "PHOTO_UNREADABLE" });
    await assert.rejects(
      client.upload(new Blob([noise(800)]), { onProgress: () => {} }),
      (error) => error instanceof PhotoServiceError && error.code === "PHOTO_TOO_LARGE",
    );
    const signal = AbortSignal.abort(new Error("not wanted any more"));
    await assert.rejects(
      client.upload(new Blob([smallPhoto()]), { signal }),
      /not wanted any more/,
    );
  });

  it("sends three files at once; one that waits can be aborted", async (t) => {
    const { client } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => client.close());
    const abort = new AbortController();
    let [running, most] = [0, 0];
    const uploads = Array.from({ length: 7 }, (_, i) =>
      client
        .upload(new Blob([smallPhoto()]), {
          onProgress(fraction) {
            if (fraction === 0) most = Math.max(most, ++running);
            if (fraction === 1) running--;
          },
          ...(i === 5 && { signal: abort.signal }),
        })
        .then(({ id }) => id),
    );
    abort.abort(new Error("not this one"));
    await assert.rejects(uploads[5] ?? Promise.resolve(), /not this one/);
    assert.equal(new Set(await Promise.all(uploads.filter((_, i) => i !== 5))).size, 6);
    assert.equal(most, 3);
  });
});
