import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { runPipeline } from "../../src/demo/run-pipeline.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { startTestService } from "../support/service/test-service.js";

describe("the demo of a pipeline", () => {
  const folder = temporaryFolder().path;

  it("shows each step of each photo, and saves the archive of all", async (t) => {
    const service = await startTestService();
    t.after(() => service.close());
    const out = new PassThrough();
    const photos = [64, 48].map((width, i) => ({
      bytes: smallPhoto(width, 40),
      filename: `photo-${i}.png`,
    }));
    const ok = await runPipeline({
      url: service.url,
      token: await service.token(),
      photos,
      folder,
      out: out as unknown as NodeJS.WriteStream,
    });
    const text = String(out.read());
    assert.ok(ok, text);
    for (const step of ["scrub", "watermark", "thumbnail"])
      for (const photo of ["photo-0", "photo-1"])
        assert.match(text, new RegExp(`${photo}\\.png {2}${step} {2}SUCCESS`));
    const [, path = ""] = /\nThe results:\n {2}(.+\.zip)\n$/.exec(text) ?? [];
    const zip = readFileSync(path);
    assert.equal(zip.subarray(0, 2).toString(), "PK");
    assert.match(zip.toString("latin1"), /1-thumbnail.+2-thumbnail/s);
  });
});
