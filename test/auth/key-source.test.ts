import assert from "node:assert/strict";
import { test } from "node:test";
import { createFixedKeys } from "../../src/auth/key-source.js";
import { ecKey, edKey, rsaKey } from "./make-token.js";

test("offers all keys of the token's algorithm, and no others", async () => {
  const source = createFixedKeys({
    pem: [rsaKey(), ecKey(), ecKey()].map((key) => key.pem).join(""),
  });
  const counts = await Promise.all(
    (["RS256", "ES256", "EdDSA"] as const).map(
      async (alg) => (await source.choose({ alg })).keys.length,
    ),
  );
  assert.deepEqual(counts, [1, 2, 0]);
  assert.deepEqual(source.readiness(), { ready: true, reason: null });
  source.close();
});

test("reports faults in the PEM when it is created", () => {
  const message = "PEM block 2 cannot be read as a public key.";
  assert.throws(
    () =>
      createFixedKeys({
        pem: `${edKey().pem}-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----`,
      }),
    { message },
  );
});
