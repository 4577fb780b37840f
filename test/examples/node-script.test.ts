import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { smallPhoto } from "../support/service/small-photo.js";
import { startTestService } from "../support/service/test-service.js";

const SCRIPT = fileURLToPath(new URL("../../examples/node-script.js", import.meta.url));

describe("the example for Node", () => {
  it("prints every event and the thumbnail's URL, or the reason of a failure", async (t) => {
    const service = await startTestService();
    const folder = mkdtempSync(join(tmpdir(), "photo-service-example-"));
    t.after(async () => {
      await service.close();
      rmSync(folder, { recursive: true, force: true });
    });
    const path = join(folder, "photo.jpg");
    writeFileSync(path, await smallPhoto());
    const env = {
      ...process.env,
      API: service.url,
      TOKEN: await service.token({ sub: "example" }),
    };
    const run = (photo = path, more: Record<string, string> = {}) =>
      promisify(execFile)(process.execPath, [SCRIPT, photo], {
        env: { ...env, ...more },
        timeout: 60_000,
      });

    const { stdout } = await run();
    const url = /^320w\.webp (http\S+)$/m.exec(stdout)?.[1] ?? assert.fail(stdout);
    assert.match(stdout, /^SUCCEEDED 100 %$/m);
    assert.equal((await fetch(url)).headers.get("content-type"), "image/webp");
    assert.match((await run()).stdout, /^320w\.webp http/m);
    for (const [failing, reason] of [
      [() => run(path, { TOKEN: "none" }), /\nUNAUTHENTICATED: /],
      [() => run(path, { TOKEN: "" }), /\nTOKEN_FAILED: There is no token\./],
      [() => run(join(folder, "none.jpg")), /\nENOENT: .*none\.jpg/],
      [() => run(SCRIPT), /\nPHOTO_UNREADABLE: This is /],
    ] as const)
      await assert.rejects(failing(), (error: Error) => {
        assert.match(error.message, reason);
        assert.doesNotMatch(error.message, /\n {4}at /);
        return true;
      });
  });
});
