import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { publicKey } from "../../../src/auth/public-keys.js";
import { ecKey, edKey, rsaKey } from "../make-token.js";

test("returns the only algorithm of each kind of key", () => {
  for (const key of [rsaKey(), ecKey(), edKey()])
    assert.equal(publicKey(key.publicKey).algorithm, key.alg);
});

test("refuses RSA keys below 2048 bits", () => {
  assert.throws(() => publicKey(rsaKey(1024).publicKey), {
    message: "is an RSA key of 1024 bits; at least 2048 are required",
  });
});

test("refuses an RSA key with an unsafe exponent", () => {
  const jwk = rsaKey().publicKey.export({ format: "jwk" });
  for (const [exponent, e] of [
    ["1", "AQ"],
    ["65536", "AQAA"],
  ] as const) {
    const key = createPublicKey({ key: { ...jwk, e }, format: "jwk" });
    assert.throws(() => publicKey(key), {
      message: `is an RSA key with the unsafe exponent ${exponent}`,
    });
  }
});

test("refuses other kinds of keys by name", () => {
  const pss = generateKeyPairSync("rsa-pss", { modulusLength: 2048 }).publicKey;
  const kinds = {
    "ec secp384r1": ecKey("P-384").publicKey,
    "ec secp256k1": ecKey("secp256k1").publicKey,
    ed448: generateKeyPairSync("ed448").publicKey,
    "rsa-pss": pss,
  };
  for (const [kind, key] of Object.entries(kinds)) {
    assert.throws(() => publicKey(key), {
      message:
        `is of the unsupported type ${kind}; RSA (RS256), P-256 (ES256) and Ed25519 ` +
        "(EdDSA) are supported",
    });
  }
});
