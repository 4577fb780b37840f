import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";

export interface TestKey {
  alg: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** SPKI PEM of the public key. */
  pem: string;
}

/**
 * Signs a token by hand: the library under test refuses to write most tokens that must be refused.
 */
export function makeToken(
  key: TestKey,
  payload: unknown,
  header: Record<string, unknown> = {},
): string {
  return compact({ alg: key.alg, ...header }, payload, (input) => signature(key, input));
}

export function compact(
  header: unknown,
  payload: unknown,
  signer: (input: string) => Buffer | string,
): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${Buffer.from(signer(input)).toString("base64url")}`;
}

export function hmac(secret: string, digest = "sha256"): (input: string) => Buffer {
  return (input) => createHmac(digest, secret).update(input).digest();
}

function signature(key: TestKey, input: string): Buffer {
  const digest = key.alg === "EdDSA" ? null : "sha256";
  return sign(digest, Buffer.from(input), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
}

export function base64url(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString(
    "base64url",
  );
}

export function rsaKey(bits = 2048): TestKey {
  return testKey("RS256", generateKeyPairSync("rsa", { modulusLength: bits }));
}

export function ecKey(curve = "P-256"): TestKey {
  return testKey("ES256", generateKeyPairSync("ec", { namedCurve: curve }));
}

export function edKey(): TestKey {
  return testKey("EdDSA", generateKeyPairSync("ed25519"));
}

function testKey(alg: string, pair: { publicKey: KeyObject; privateKey: KeyObject }): TestKey {
  return { alg, ...pair, pem: pair.publicKey.export({ type: "spki", format: "pem" }).toString() };
}
