import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { after, before, describe, it } from "node:test";
import { runDemo } from "../../src/demo/run-demo.js";
import { renderHalfBlocks } from "../../src/imaging/pixels/half-blocks.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

describe("the demo", () => {
  const folder = temporaryFolder().path;
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.close());

  async function run(draw: typeof renderHalfBlocks | null): Promise<string> {
    const out = new PassThrough();
    const photo = { bytes: smallPhoto(64, 40), filename: "hills.png" };
    const { url } = service;
    const ok = await runDemo({
      url,
      token: await service.token(),
      photo,
      folder,
      out: out as unknown as NodeJS.WriteStream,
      draw,
    });
    assert.equal(ok, true);
    return String(out.read());
  }

  it("draws the thumbnail if the terminal can show it, and lists every result file", async () => {
    const text = await run(renderHalfBlocks);
    const paths = text
      .slice(text.indexOf("\nThe results:\n"))
      .split("\n")
      .slice(2)
      .filter(Boolean)
      .map((line) => line.trim());
    const thumbnail =
      paths.find((path) => /thumbnail-.+\.(webp|jpe?g|png)$/.test(path)) ?? assert.fail(text);
    assert.ok(
      text.includes(`\n${await renderHalfBlocks(readFileSync(thumbnail), 40)}`),
      "the thumbnail is not drawn, 40 columns wide",
    );
    assert.ok(paths.length >= 5 && paths.every((path) => readFileSync(path).length > 0), text);
  });

  it("shows every step of each job, and draws nothing if the terminal cannot", async () => {
    const text = await run(null);
    assert.doesNotMatch(text, /▀/);
    for (const job of ["thumbnail", "metadata", "placeholder"]) {
      const steps = [...text.matchAll(new RegExp(`^  ${job} +([A-Z]+) `, "gm"))];
      assert.deepEqual(
        steps.map(([, type]) => type).filter((type) => type !== "PROGRESS"),
        ["QUEUED", "STARTED", "SUCCEEDED"],
      );
    }
  });
});
