import {
  createTokenVerifier,
  type TokenKeys,
  type TokenVerifierOptions,
} from "../../../src/auth/token-verifier.js";
import { ecKey, edKey, makeToken, rsaKey } from "../make-token.js";

export const NOW = 1_700_000_000;
export const ISSUER = "https://id.example.com";
export const rsa = rsaKey();
export const ec = ecKey();
export const ed = edKey();
export const other = rsaKey();
const allPem = rsa.pem + ec.pem + ed.pem;
export const good = {
  iss: ISSUER,
  aud: "photos",
  sub: "u1",
  email: "ada@example.com",
  email_verified: true,
  iat: NOW - 10,
  exp: NOW + 3600,
};

export const SIGNATURE = "The token's signature is invalid.";

export const signed = (payload: unknown, header?: Record<string, unknown>) =>
  makeToken(rsa, payload, header);
export const withClaims = (claims: Record<string, unknown>) => signed({ ...good, ...claims });

export function open(
  keys: TokenKeys = { pem: allPem },
  options: Partial<TokenVerifierOptions> = {},
) {
  return createTokenVerifier({
    keys,
    issuers: [ISSUER],
    audiences: ["photos"],
    clock: () => NOW * 1000,
    ...options,
  });
}
