import { type KeyObject, createPublicKey } from "node:crypto";

export const SIGNATURE_ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** A key that verifies, and the one algorithm it verifies: the key decides, never the token. */
export interface PublicKey {
  algorithm: SignatureAlgorithm;
  key: KeyObject;
}

/**
 * Throws an Error, one clause without a full stop, when a key of this kind or strength is not
 * taken.
 */
export function publicKey(key: KeyObject): PublicKey {
  return { algorithm: algorithmOf(key), key };
}

function algorithmOf(key: KeyObject): SignatureAlgorithm {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") {
    if (modulusLength < 2048)
      throw new Error(`is an RSA key of ${modulusLength} bits; at least 2048 are required`);
    // With the exponent 1 anybody can write signatures, and an even one is no RSA; OpenSSL imports
    // both.
    if (publicExponent < 3n || publicExponent % 2n === 0n)
      throw new Error(`is an RSA key with the unsafe exponent ${publicExponent}`);
    return "RS256";
  }
  if (key.asymmetricKeyType === "ec" && namedCurve === "prime256v1") return "ES256";
  if (key.asymmetricKeyType === "ed25519") return "EdDSA";
  const kind = [key.asymmetricKeyType, namedCurve].filter(Boolean).join(" ");
  throw new Error(
    `is of the unsupported type ${kind}; RSA (RS256), P-256 (ES256) and Ed25519 (EdDSA) ` +
      "are supported",
  );
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;
const PRIVATE = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;
const FORMATS: Record<string, "spki" | "pkcs1"> = {
  "PUBLIC KEY": "spki",
  "RSA PUBLIC KEY": "pkcs1",
};

/**
 * The keys of a text with one or more PEM blocks, in their order. Line ends may be real, written as
 * `\n` (as environment files have them), or lost. Throws an Error with one sentence that begins
 * inside the text ("PEM block 2 is …") and never quotes it: what was given by mistake may be a
 * secret.
 */
export function parsePublicKeys(pem: string): PublicKey[] {
  const text = pem.replaceAll(/\\r|\\n/g, "\n");
  if (PRIVATE.test(text))
    throw new Error(
      "There is a private key in it; give its public key and keep the private one away from here.",
    );
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length === 0)
    throw new Error(
      "There is no complete PEM block in it; -----BEGIN PUBLIC KEY----- is expected.",
    );
  if (text.replaceAll(BLOCK, "").includes("-----"))
    throw new Error("There is an incomplete PEM block in it.");
  return blocks.map(([, label = "", body = ""], index) =>
    parseBlock(label, body, blocks.length > 1 ? `PEM block ${index + 1}` : "The PEM block"),
  );
}

function parseBlock(label: string, body: string, where: string): PublicKey {
  const type = FORMATS[label];
  if (!type) throw new Error(`${where} is a ${label}; a PUBLIC KEY is expected.`);
  const key = importKey(body, type, where);
  try {
    return publicKey(key);
  } catch (error) {
    throw new Error(`${where} ${error instanceof Error ? error.message : "is not supported"}.`, {
      cause: error,
    });
  }
}

// Beware: createPublicKey would also take a private key in PEM and derive the public one. DER of a
// named type does not.
function importKey(body: string, type: "spki" | "pkcs1", where: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(body, "base64"), format: "der", type });
  } catch (error) {
    throw new Error(`${where} cannot be read as a public key.`, { cause: error });
  }
}
