import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { jwk } from "../key-server.js";
import { base64url, compact, ecKey, edKey, hmac, makeToken } from "../make-token.js";
import {
  NOW,
  ISSUER,
  rsa,
  other,
  good,
  SIGNATURE,
  signed,
  withClaims,
  open,
} from "./token-verifier-scene.js";

const NOT_JWT = "The token is not a valid signed JWT.";
const ALGORITHM = "The token is not signed with an accepted algorithm.";
const HEADER = "The token's header is not accepted.";
const NOT_ACCEPTED = (claim: string) => `The token's claim "${claim}" is not accepted.`;
const LACKS = (claim: string) => `The token lacks the claim "${claim}".`;
const without = (claim: keyof typeof good) => signed({ ...good, [claim]: undefined });
const withHeader = (header: Record<string, unknown>) => signed(good, header);
const token = signed(good);
const [header = "", payload = "", signature = ""] = token.split(".");
const pssSigned = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });

// Tokens without a signature, with a wrong one, and correctly signed ones with invalid content.
const forged: [name: string, token: string, message: string][] = [
  ["an empty text", "", NOT_JWT],
  ["one part", "abc", NOT_JWT],
  ["two parts", `${header}.${payload}`, NOT_JWT],
  ["four parts", `${token}.${signature}`, NOT_JWT],
  [
    "five parts, as an encrypted one has",
    `${base64url({ alg: "RSA-OAEP", enc: "A256GCM" })}.AA.AA.AA.AA`,
    NOT_JWT,
  ],
  ["two Bearers in one", `${token} Bearer ${token}`, NOT_JWT],
  ["9 KiB", withClaims({ padding: "x".repeat(9216) }), "The token is longer than 8 KiB."],
  ["9 KiB of letters", "a".repeat(9216), "The token is longer than 8 KiB."],
  ["padding after the signature", `${token}==`, NOT_JWT],
  ["a line break after it", `${token}\n`, NOT_JWT],
  ["a header that is not JSON", `${base64url("{")}.${payload}.${signature}`, NOT_JWT],
  ["a header that is an array", `${base64url([])}.${payload}.${signature}`, NOT_JWT],
  ["alg none without a signature", `${base64url({ alg: "none" })}.${payload}.`, NOT_JWT],
  [
    "alg none with the signature of another",
    `${base64url({ alg: "none" })}.${payload}.${signature}`,
    ALGORITHM,
  ],
  ["alg None", `${base64url({ alg: "None" })}.${payload}.AAAA`, ALGORITHM],
  ["alg absent", compact({ typ: "JWT" }, good, () => "x"), ALGORITHM],
  ["alg a list", compact({ alg: ["RS256"] }, good, () => "x"), ALGORITHM],
  ["alg in lower case", withHeader({ alg: "rs256" }), ALGORITHM],
  ["HS256 with the PEM as secret", compact({ alg: "HS256" }, good, hmac(rsa.pem)), ALGORITHM],
  [
    "HS256 with the PEM without its line break",
    compact({ alg: "HS256" }, good, hmac(rsa.pem.trim())),
    ALGORITHM,
  ],
  ["HS512 with an empty secret", compact({ alg: "HS512" }, good, hmac("", "sha512")), ALGORITHM],
  ["PS256 named", withHeader({ alg: "PS256" }), ALGORITHM],
  ["RS384 named", withHeader({ alg: "RS384" }), ALGORITHM],
  ["PSS signature under the name RS256", makeToken({ ...rsa, ...pssSigned }, good), SIGNATURE],
  ["another RSA key", makeToken(other, good), SIGNATURE],
  ["an RSA signature under the name ES256", withHeader({ alg: "ES256" }), SIGNATURE],
  ["another EC key", makeToken(ecKey(), good), SIGNATURE],
  ["another Ed25519 key", makeToken(edKey(), good), SIGNATURE],
  ["an EC signature of zeros", compact({ alg: "ES256" }, good, () => Buffer.alloc(64)), SIGNATURE],
  [
    "an Ed25519 signature of zeros",
    compact({ alg: "EdDSA" }, good, () => Buffer.alloc(64)),
    SIGNATURE,
  ],
  [
    "an empty EC signature's byte",
    compact({ alg: "ES256" }, good, () => Buffer.alloc(1)),
    SIGNATURE,
  ],
  [
    "changed claims under the old signature",
    `${header}.${base64url({ ...good, sub: "u2" })}.${signature}`,
    SIGNATURE,
  ],
  ["its own key in the header", makeToken(other, good, { jwk: jwk(other) }), HEADER],
  ["its own key in the header, correctly signed", withHeader({ jwk: jwk(rsa) }), HEADER],
  ["jku", withHeader({ jku: "https://evil.example.com/jwks" }), HEADER],
  ["x5u", withHeader({ x5u: "https://evil.example.com/cert" }), HEADER],
  ["x5c", withHeader({ x5c: ["MIIB"] }), HEADER],
  ["crit", withHeader({ crit: ["exp"], exp: 1 }), HEADER],
  ["crit, empty", withHeader({ crit: [] }), HEADER],
  ["b64 false", withHeader({ b64: false, crit: ["b64"] }), HEADER],
  ["typ odd", withHeader({ typ: "logout+jwt" }), HEADER],
  ["typ a number", withHeader({ typ: 1 }), HEADER],
  ["kid a number", withHeader({ kid: 1 }), HEADER],
  ["claims that are not JSON", signed("{"), NOT_JWT],
  ["claims that are an array", signed([good]), NOT_JWT],
  ["claims nested too deep", signed("[".repeat(5000)), NOT_JWT],
  ["expired beyond the leeway", withClaims({ exp: NOW - 5 }), "The token has expired."],
  ["exp 0", withClaims({ exp: 0 }), "The token has expired."],
  ["not yet valid", withClaims({ nbf: NOW + 6 }), "The token is not valid yet."],
  ["nbf a text", withClaims({ nbf: "0" }), NOT_ACCEPTED("nbf")],
  ["iat a text", withClaims({ iat: "0" }), NOT_ACCEPTED("iat")],
  ["exp a text", withClaims({ exp: String(NOW + 3600) }), NOT_ACCEPTED("exp")],
  ["exp 1e300", withClaims({ exp: 1e300 }), NOT_ACCEPTED("exp")],
  [
    "exp infinite",
    signed(JSON.stringify(good).replace(/"exp":\d+/, '"exp":1e999')),
    NOT_ACCEPTED("exp"),
  ],
  [
    "another issuer",
    withClaims({ iss: "https://evil.example.com" }),
    "The token is from another issuer.",
  ],
  [
    "the issuer with a slash",
    withClaims({ iss: `${ISSUER}/` }),
    "The token is from another issuer.",
  ],
  ["the issuer in a list", withClaims({ iss: [ISSUER] }), "The token is from another issuer."],
  ["another audience", withClaims({ aud: "other" }), "The token is for another audience."],
  [
    "other audiences",
    withClaims({ aud: ["other", ["photos"]] }),
    "The token is for another audience.",
  ],
  ["sub 1", withClaims({ sub: 1 }), NOT_ACCEPTED("sub")],
  ["sub empty", withClaims({ sub: "" }), NOT_ACCEPTED("sub")],
  ["sub of 256 characters", withClaims({ sub: "x".repeat(256) }), NOT_ACCEPTED("sub")],
  ["sub with NUL", withClaims({ sub: "u\0" }), NOT_ACCEPTED("sub")],
  ["email in a list", withClaims({ email: ["a"] }), NOT_ACCEPTED("email")],
  ["email null", withClaims({ email: null }), NOT_ACCEPTED("email")],
  ["no iss", without("iss"), LACKS("iss")],
  ["no aud", without("aud"), LACKS("aud")],
  ["no exp", without("exp"), LACKS("exp")],
  ["no sub", without("sub"), LACKS("sub")],
  ["no email", without("email"), LACKS("email")],
  [
    "sub by its prototype only",
    signed(JSON.stringify({ ...good, sub: undefined }).replace("{", '{"__proto__":{"sub":"u1"},')),
    LACKS("sub"),
  ],
];

for (const [name, text, message] of forged) {
  test(`refuses a token with ${name}`, async () => {
    await assert.rejects(open().verify(text), {
      name: "UnauthenticatedError",
      code: "UNAUTHENTICATED",
      message,
    });
  });
}
