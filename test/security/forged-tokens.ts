import { generateKeyPairSync } from "node:crypto";
import { jwk } from "../auth/key-server.js";
import { base64url, compact, ecKey, edKey, hmac, makeToken, rsaKey } from "../auth/make-token.js";
import type { AttackedService } from "./attacked-service.js";

type Forger = (service: AttackedService) => string;

/** Claims that must be refused even in a correctly signed token. */
const CLAIMS: [what: string, claims: (now: number) => Record<string, unknown>][] = [
  ["an exp in the past", (now) => ({ exp: now - 6 })],
  ["exp 0", () => ({ exp: 0 })],
  ["exp 1e300", () => ({ exp: 1e300 })],
  ["an exp that is a string", (now) => ({ exp: String(now + 3600) })],
  ["no exp", () => ({ exp: undefined })],
  ["an nbf in the future", (now) => ({ nbf: now + 60 })],
  ["an nbf that is a string", () => ({ nbf: "0" })],
  ["another issuer", () => ({ iss: "https://evil.test" })],
  ["the issuer with a trailing slash", () => ({ iss: "https://issuer.test/" })],
  ["the issuer in a list", () => ({ iss: ["https://issuer.test"] })],
  ["no issuer", () => ({ iss: undefined })],
  ["another audience", () => ({ aud: "another" })],
  ["the audience in a list of a list", () => ({ aud: [["photo-service-test"]] })],
  ["no audience", () => ({ aud: undefined })],
  ["a sub that is a number", () => ({ sub: 1 })],
  ["an empty sub", () => ({ sub: "" })],
  ["a sub that is a list", () => ({ sub: ["victim"] })],
  ["a sub that is an object", () => ({ sub: { toString: "victim" } })],
  ["a sub of 256 characters", () => ({ sub: "x".repeat(256) })],
  ["a sub with a NUL", () => ({ sub: "victim\0" })],
  ["a sub with half a surrogate pair", () => ({ sub: "\ud800" })],
  ["no sub", () => ({ sub: undefined })],
  ["an email that is a list", () => ({ email: ["victim@example.test"] })],
  ["an email that is null", () => ({ email: null })],
  ["an empty email", () => ({ email: "" })],
  ["an email of 321 characters", () => ({ email: "x".repeat(321) })],
  ["no email", () => ({ email: undefined })],
];

/** Header members that must not be trusted even with a valid signature. */
const HEADERS: [what: string, header: (service: AttackedService) => Record<string, unknown>][] = [
  ["its own key in jwk", ({ keys }) => ({ jwk: jwk(keys.rsa) })],
  ["jku", () => ({ jku: "https://evil.test/jwks.json" })],
  ["x5u", () => ({ x5u: "https://evil.test/cert.pem" })],
  ["x5c", () => ({ x5c: ["MIIB"] })],
  ["crit", () => ({ crit: ["exp"], exp: 1 })],
  ["an empty crit", () => ({ crit: [] })],
  ["b64: false", () => ({ b64: false, crit: ["b64"] })],
  ["the typ of another kind of token", () => ({ typ: "logout+jwt" })],
  ["a typ that is a number", () => ({ typ: 1 })],
  ["a kid that is an object", () => ({ kid: {} })],
  ["a kid of 2,000 characters", () => ({ kid: "k".repeat(2000) })],
  ["alg PS256", () => ({ alg: "PS256" })],
  ["alg RS512", () => ({ alg: "RS512" })],
  ["alg ES256 over an RSA signature", () => ({ alg: "ES256" })],
  ["alg rs256", () => ({ alg: "rs256" })],
  ["alg in a list", () => ({ alg: ["RS256"] })],
];

const FORMS: [what: string, forge: Forger][] = [
  ["only dots", () => ".."],
  ["alg none and no signature", ({ good }) => `${base64url({ alg: "none" })}.${base64url(good)}.`],
  [
    "alg none and a signature",
    ({ good }) => `${base64url({ alg: "none" })}.${base64url(good)}.AAAA`,
  ],
  ["alg None", ({ good }) => `${base64url({ alg: "None" })}.${base64url(good)}.AAAA`],
  ["alg nOnE", ({ good }) => `${base64url({ alg: "nOnE" })}.${base64url(good)}.AAAA`],
  ["no alg", ({ good }) => compact({ typ: "JWT" }, good, () => "x")],
  [
    "HS256 and the public key's PEM as its secret",
    ({ good, keys }) => compact({ alg: "HS256" }, good, hmac(keys.rsa.pem)),
  ],
  [
    "HS256 and all PEMs as its secret",
    ({ good, keys }) =>
      compact({ alg: "HS256" }, good, hmac(keys.rsa.pem + keys.ec.pem + keys.ed.pem)),
  ],
  [
    "HS256 and the PEM's base64 content as its secret",
    ({ good, keys }) =>
      compact({ alg: "HS256" }, good, hmac(keys.rsa.pem.replaceAll(/-----.*-----|\n/g, ""))),
  ],
  ["HS512 and an empty secret", ({ good }) => compact({ alg: "HS512" }, good, hmac("", "sha512"))],
  ["another RSA key", ({ good }) => makeToken(rsaKey(), good)],
  ["another P-256 key", ({ good }) => makeToken(ecKey(), good)],
  ["another Ed25519 key", ({ good }) => makeToken(edKey(), good)],
  ["another key that its own header contains", ({ good }) => bringingItsKey(good)],
  ["a key of P-384", ({ good }) => makeToken(ecKey("P-384"), good)],
  [
    "a PSS signature under the name RS256",
    ({ good }) =>
      makeToken({ ...rsaKey(), ...generateKeyPairSync("rsa-pss", { modulusLength: 2048 }) }, good),
  ],
  [
    "an ECDSA signature of zeros",
    ({ good }) => compact({ alg: "ES256" }, good, () => Buffer.alloc(64)),
  ],
  [
    "an Ed25519 signature of zeros",
    ({ good }) => compact({ alg: "EdDSA" }, good, () => Buffer.alloc(64)),
  ],
  [
    "changed claims below a formerly valid signature",
    (service) =>
      withParts(service, ([header, , signature]) => [
        header,
        base64url({ ...service.good, sub: "admin" }),
        signature,
      ]),
  ],
  [
    "a truncated signature",
    (service) =>
      withParts(service, ([header, claims, signature]) => [header, claims, signature.slice(0, -4)]),
  ],
  ["padding after its signature", (service) => `${makeToken(service.keys.rsa, service.good)}==`],
  ["a fourth part", (service) => `${makeToken(service.keys.rsa, service.good)}.AAAA`],
  [
    "five parts, like an encrypted token",
    () => `${base64url({ alg: "RSA-OAEP", enc: "A256GCM" })}.AA.AA.AA.AA`,
  ],
  [
    "a header that is not JSON",
    (service) => withParts(service, ([, claims, signature]) => [base64url("{"), claims, signature]),
  ],
  [
    "a header that is a list",
    (service) => withParts(service, ([, claims, signature]) => [base64url([]), claims, signature]),
  ],
  ["claims that are not JSON", ({ keys }) => makeToken(keys.rsa, "{")],
  ["claims that are a list", ({ keys, good }) => makeToken(keys.rsa, [good])],
  ["claims of 5,000 open brackets", ({ keys }) => makeToken(keys.rsa, "[".repeat(5000))],
  [
    "a sub in __proto__",
    ({ keys, good }) =>
      makeToken(
        keys.rsa,
        JSON.stringify({ ...good, sub: undefined }).replace("{", '{"__proto__":{"sub":"victim"},'),
      ),
  ],
  [
    "an infinite exp",
    ({ keys, good }) =>
      makeToken(keys.rsa, JSON.stringify(good).replace(/"exp":\d+/, '"exp":1e999')),
  ],
  [
    "a size over 9 KiB",
    ({ keys, good }) => makeToken(keys.rsa, { ...good, padding: "x".repeat(9000) }),
  ],
];

/** Tokens that must be refused, each with its fault. */
export const FORGED_TOKENS: [what: string, forge: Forger][] = [
  ...FORMS,
  ...HEADERS.map(([what, header]): [string, Forger] => [
    what,
    (service) => makeToken(service.keys.rsa, service.good, header(service)),
  ]),
  ...CLAIMS.map(([what, claims]): [string, Forger] => [
    what,
    ({ keys, good }) => makeToken(keys.ec, { ...good, ...claims(Math.floor(Date.now() / 1000)) }),
  ]),
];

function bringingItsKey(good: unknown): string {
  const key = rsaKey();
  return makeToken(key, good, { jwk: jwk(key) });
}

type Parts = [header: string, claims: string, signature: string];

function withParts({ keys, good }: AttackedService, change: (parts: Parts) => Parts): string {
  return change(makeToken(keys.rsa, good).split(".") as Parts).join(".");
}
