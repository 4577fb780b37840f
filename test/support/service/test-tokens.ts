import { generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";

/** Signs tokens as the identity provider of a test service. */
export interface TestTokens {
  /** Configuration with which a service accepts the tokens. */
  env: Record<string, string>;
  /** Signs a token for a new user; claims override the defaults. */
  sign(claims?: Record<string, unknown>, options?: { expiresIn?: number }): Promise<string>;
}

const ISSUER = "https://issuer.test";
const AUDIENCE = "photo-service-test";

export function createTestTokens(): TestTokens {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    env: {
      JWT_PUBLIC_KEY: publicKey.export({ type: "spki", format: "pem" }).toString(),
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
    },
    sign(claims = {}, { expiresIn = 3600 } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const times = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + expiresIn };
      return new SignJWT({ ...times, ...newPerson(), ...claims })
        .setProtectedHeader({ alg: "ES256" })
        .sign(privateKey);
    },
  };
}

let people = 0;
function newPerson(): Record<string, unknown> {
  people++;
  return {
    sub: `person-${process.pid}-${people}`,
    email: `person-${process.pid}-${people}@example.test`,
    name: `Person ${people}`,
    email_verified: true,
  };
}
