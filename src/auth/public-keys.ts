import { type KeyObject, createPublicKey } from "node:crypto";

export const SIGNATURE_ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** A verifying key and its algorithm: the key decides the algorithm, never the token. */
export interface PublicKey {
  algorithm: SignatureAlgorithm;
  key: KeyObject;
}

/**
 * Throws an Error if this kind or strength of key is not accepted. The message is a clause without
 * a full stop.
 */
export function publicKey(key: KeyObject): PublicKey {
  return { algorithm: algorithmOf(key), key };
}

function algorithmOf(key: KeyObject): SignatureAlgorithm {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") {
    if (modulusLength < 2048)
      throw new Error(`is an RSA key of ${modulusLength} bits; at least 2048 are required`);
    // With the exponent 1 anyone can forge signatures, and an even exponent is not valid RSA.
    // OpenSSL imports both.
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
 * Returns the keys of a text with one or more PEM blocks, in order. Line breaks may be real,
 * written as `\n` (as in environment files), or missing.
 *
 * Throws an Error of one sentence. It never quotes the text, which may be a secret that was passed
 * by mistake.
 */
export function parsePublicKeys(pem: string): PublicKey[] {
  const text = pem.replaceAll(/\\r|\\n/g, "\n");
  if (PRIVATE.test(text))
    throw new Error(
      "It contains a private key; pass its public key and keep the private key elsewhere.",
    );
  const blocks = [...text.matchAll(BLOCK)];
  if (blocks.length === 0)
    throw new Error("It contains no complete PEM block; -----BEGIN PUBLIC KEY----- is expected.");
  if (text.replaceAll(BLOCK, "").includes("-----"))
    throw new Error("It contains an incomplete PEM block.");
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

// Beware: createPublicKey also accepts a private key in PEM and derives the public key. With DER of
// a named type it does not.
function importKey(body: string, type: "spki" | "pkcs1", where: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(body, "base64"), format: "der", type });
  } catch (error) {
    throw new Error(`${where} cannot be read as a public key.`, { cause: error });
  }
}
