import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePublicKeys } from "../../../src/auth/public-keys.js";
import { ecKey, edKey, rsaKey } from "../make-token.js";

const rsa = rsaKey();
const ec = ecKey();
const ed = edKey();

test("reads several PEM blocks in order, with text between them", () => {
  const keys = parsePublicKeys(`# until May\n${rsa.pem}\n# since April\n${ec.pem}${ed.pem}`);
  assert.deepEqual(
    keys.map((key) => key.algorithm),
    ["RS256", "ES256", "EdDSA"],
  );
  assert.ok(keys[1]?.key.equals(ec.publicKey));
});

test("reads PEM with escaped, doubled or missing line breaks", () => {
  const spellings = [
    rsa.pem.replaceAll("\n", "\\n"),
    rsa.pem.replaceAll("\n", "\r\n"),
    rsa.pem.replaceAll("\n", "\\r\\n"),
    rsa.pem.replaceAll("\n", " "),
    `"${rsa.pem}"`,
  ];
  for (const pem of spellings) assert.ok(parsePublicKeys(pem)[0]?.key.equals(rsa.publicKey), pem);
});

test("reads RSA keys in PKCS #1 format", () => {
  const pem = rsa.publicKey.export({ type: "pkcs1", format: "pem" }).toString();
  assert.ok(parsePublicKeys(pem)[0]?.key.equals(rsa.publicKey));
});

test("refuses a private key in any format, alone or among public keys", () => {
  const message =
    "It contains a private key; pass its public key and keep the private key elsewhere.";
  const forms = [
    rsa.privateKey.export({ type: "pkcs8", format: "pem" }),
    rsa.privateKey.export({ type: "pkcs1", format: "pem" }),
    ec.privateKey.export({ type: "sec1", format: "pem" }),
    ec.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
    rsa.privateKey.export({ type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
  ];
  for (const pem of forms) {
    assert.throws(() => parsePublicKeys(pem.toString()), { message });
    assert.throws(() => parsePublicKeys(`${ed.pem}${pem.toString()}`), { message });
  }
});

test("names the block with a weak or unsupported key", () => {
  const weak = rsaKey(1024).pem;
  assert.throws(() => parsePublicKeys(weak), {
    message: "The PEM block is an RSA key of 1024 bits; at least 2048 are required.",
  });
  assert.throws(() => parsePublicKeys(rsa.pem + weak), {
    message: "PEM block 2 is an RSA key of 1024 bits; at least 2048 are required.",
  });
  const message =
    "The PEM block is of the unsupported type ec secp384r1; RSA (RS256), P-256 (ES256) " +
    "and Ed25519 (EdDSA) are supported.";
  assert.throws(() => parsePublicKeys(ecKey("P-384").pem), { message });
  assert.throws(() => parsePublicKeys(block("CERTIFICATE", "MIIB")), {
    message: "The PEM block is a CERTIFICATE; a PUBLIC KEY is expected.",
  });
});

test("says what is wrong with a text that is not a complete key", () => {
  const none = "It contains no complete PEM block; -----BEGIN PUBLIC KEY----- is expected.";
  for (const text of ["", "secret", '{"kty":"RSA"}', rsa.pem.slice(0, -10)])
    assert.throws(() => parsePublicKeys(text), { message: none }, text);
  assert.throws(() => parsePublicKeys(rsa.pem + ec.pem.slice(0, -10)), {
    message: "It contains an incomplete PEM block.",
  });
  for (const body of [
    "",
    "AAAA",
    "not base64!",
    ec.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64"),
  ]) {
    assert.throws(
      () => parsePublicKeys(block("PUBLIC KEY", body)),
      { message: "The PEM block cannot be read as a public key." },
      body,
    );
  }
});

function block(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}
