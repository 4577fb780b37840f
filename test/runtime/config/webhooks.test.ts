import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultsOf } from "../faults-of.js";

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24).toString("base64")}`;

describe("the configuration of webhooks", () => {
  it("requires a secret with a webhook's URL, and what signs its URLs in production", () => {
    const url = "https://receiver.test/";
    assert.deepEqual(faultsOf({ WEBHOOK_URL: url }), [
      "WEBHOOK_SECRET is not set: it signs the webhooks that WEBHOOK_URL receives",
    ]);
    const env = { NODE_ENV: "production", WEBHOOK_URL: url, WEBHOOK_SECRET };
    assert.deepEqual(faultsOf(env, ["webhooks"]), [
      "FILE_SIGNING_KEY is not set: it signs the URLs of files; 32 random characters or more",
    ]);
    assert.deepEqual(faultsOf({ NODE_ENV: "production" }, ["webhooks"]), []);
  });
});
