import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { it } from "node:test";
import { watchWebhooks } from "../../src/demo/watch-webhooks.js";
import { createSigner } from "../../src/services/webhooks/webhook-messages.js";

it("the demo's receiver prints each verified webhook once, and nothing else", async () => {
  const out = new PassThrough();
  const watch = await watchWebhooks(out);
  const { WEBHOOK_URL: url, WEBHOOK_SECRET: secret } = watch.env;
  const body = JSON.stringify({
    type: "queued-job.succeeded",
    data: { user: { email: "ann@example.test" }, queuedJob: { job: "thumbnail", outputs: [{}] } },
  });
  const send = async (headers: Record<string, string>) =>
    (await fetch(url, { method: "POST", body, headers })).status;
  const forged = createSigner([`whsec_${Buffer.alloc(32).toString("base64")}`]);
  assert.equal(await send(forged("evt_1", body)), 400);
  const headers = createSigner([secret])("evt_1", body);
  assert.deepEqual([await send(headers), await send(headers)], [204, 204]);
  await watch.waitFor(1);
  await watch.close();
  const line =
    "  webhook      queued-job.succeeded  thumbnail of ann@example.test, 1 file, verified\n";
  assert.equal(String(out.read()), line);
});
