import type { KeyObject } from "node:crypto";

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
