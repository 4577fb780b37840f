import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import {
  createTokenVerifier,
  type TokenKeys,
  type TokenVerifierOptions,
} from "../../src/auth/token-verifier.js";
import { publicKey } from "../../src/auth/public-key.js";
import { UnauthenticatedError } from "../../src/domain/errors.js";
import { jwk } from "./key-server.js";
import { base64url, compact, ecKey, edKey, hmac, makeToken, rsaKey } from "./make-token.js";
import { seededRandom } from "../support/runner/seeded-random.js";

const NOW = 1_700_000_000;
const ISSUER = "https://id.example.com";
const rsa = rsaKey();
const ec = ecKey();
const ed = edKey();
const other = rsaKey();
const allPem = rsa.pem + ec.pem + ed.pem;
const good = {
  iss: ISSUER,
  aud: "photos",
  sub: "u1",
  email: "ada@example.com",
  email_verified: true,
  iat: NOW - 10,
  exp: NOW + 3600,
};

const NOT_JWT = "The token is not a valid signed JWT.";
const ALGORITHM = "The token is not signed with an accepted algorithm.";
const HEADER = "The token's header is not accepted.";
const SIGNATURE = "The token's signature does not hold.";
const UNKNOWN_KEY = "The token is signed with an unknown key.";
const NOT_ACCEPTED = (claim: string) => `The token's claim "${claim}" is not accepted.`;
const LACKS = (claim: string) => `The token lacks the claim "${claim}".`;

const signed = (payload: unknown, header?: Record<string, unknown>) =>
  makeToken(rsa, payload, header);
const withClaims = (claims: Record<string, unknown>) => signed({ ...good, ...claims });
const without = (claim: keyof typeof good) => signed({ ...good, [claim]: undefined });
const withHeader = (header: Record<string, unknown>) => signed(good, header);
const token = signed(good);
const [header = "", payload = "", signature = ""] = token.split(".");
const pssSigned = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });

// The unsigned, the wrongly signed, and the rightly signed that say what must not be believed.
const forged: [name: string, token: string, message: string][] = [
  ["no text", "", NOT_JWT],
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
  ["a line end after it", `${token}\n`, NOT_JWT],
  ["a header that is no JSON", `${base64url("{")}.${payload}.${signature}`, NOT_JWT],
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
    "HS256 with the PEM less its line end",
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
  ["its own key in the header, signed rightly", withHeader({ jwk: jwk(rsa) }), HEADER],
  ["jku", withHeader({ jku: "https://evil.example.com/jwks" }), HEADER],
  ["x5u", withHeader({ x5u: "https://evil.example.com/cert" }), HEADER],
  ["x5c", withHeader({ x5c: ["MIIB"] }), HEADER],
  ["crit", withHeader({ crit: ["exp"], exp: 1 }), HEADER],
  ["crit, empty", withHeader({ crit: [] }), HEADER],
  ["b64 false", withHeader({ b64: false, crit: ["b64"] }), HEADER],
  ["typ odd", withHeader({ typ: "logout+jwt" }), HEADER],
  ["typ a number", withHeader({ typ: 1 }), HEADER],
  ["kid a number", withHeader({ kid: 1 }), HEADER],
  ["claims that are no JSON", signed("{"), NOT_JWT],
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

test("takes a token of each kind of key, and says what it claims", async () => {
  for (const key of [rsa, ec, ed]) {
    const claims = await open({ pem: key.pem }).verify(
      makeToken(key, good, { typ: "at+jwt", kid: "any" }),
    );
    assert.deepEqual(claims, {
      issuer: ISSUER,
      subject: "u1",
      email: "ada@example.com",
      emailVerified: true,
      name: "ada",
      picture: null,
      issuedAt: NOW - 10,
      expiresAt: NOW + 3600,
      admin: false,
    });
    assert.ok(Object.isFrozen(claims));
  }
});

test("takes tokens of the old and the new key while they are rotated", async () => {
  const verifier = open({ pem: rsa.pem + other.pem });
  for (const key of [rsa, other])
    assert.equal((await verifier.verify(makeToken(key, good))).subject, "u1");
  await assert.rejects(verifier.verify(makeToken(rsaKey(), good)), {
    code: "UNAUTHENTICATED",
    message: SIGNATURE,
  });
});

test("refuses an algorithm that is fine in itself but not of the configured key", async () => {
  for (const key of [ec, ed])
    await assert.rejects(open({ pem: rsa.pem }).verify(makeToken(key, good)), {
      code: "UNAUTHENTICATED",
      message: UNKNOWN_KEY,
    });
});

test("takes one of several issuers and audiences", async () => {
  const verifier = open(
    { pem: rsa.pem },
    { issuers: [ISSUER, "second"], audiences: ["photos", "albums"] },
  );
  for (const claims of [{ iss: "second" }, { aud: "albums" }, { aud: ["other", "albums"] }])
    assert.equal((await verifier.verify(withClaims(claims))).subject, "u1");
});

test("takes either spelling of Google's issuer where one is configured, as one issuer", async () => {
  for (const configured of ["accounts.google.com", "https://accounts.google.com"]) {
    const verifier = open({ pem: rsa.pem }, { issuers: [configured] });
    for (const iss of ["accounts.google.com", "https://accounts.google.com"]) {
      assert.equal(
        (await verifier.verify(withClaims({ iss }))).issuer,
        "https://accounts.google.com",
      );
    }
    await assert.rejects(verifier.verify(withClaims({ iss: "http://accounts.google.com" })), {
      message: "The token is from another issuer.",
    });
  }
});

test("honours the claim admin only when the development key has signed it", async () => {
  const claims = withClaims({ admin: true });
  const development = { publicKey: publicKey(rsa.publicKey), privateKey: rsa.privateKey };
  assert.equal((await open({ development }).verify(claims)).admin, true);
  assert.equal((await open({ development }).verify(withClaims({ admin: "true" }))).admin, false);
  assert.equal((await open({ pem: rsa.pem }).verify(claims)).admin, false);
});

test("lets no token be issued in the future", async () => {
  assert.equal((await open().verify(withClaims({ iat: NOW + 1e9 }))).issuedAt, NOW);
});

test("grants 5 seconds of leeway to clocks", async () => {
  assert.equal((await open().verify(withClaims({ exp: NOW - 4 }))).expiresAt, NOW - 4);
  assert.equal((await open().verify(withClaims({ nbf: NOW + 5 }))).subject, "u1");
});

test("ends a remembered token in the second in which a fresh one ends", async () => {
  for (const exp of [NOW + 60, NOW + 60.5]) {
    const text = withClaims({ exp });
    let now = NOW * 1000;
    const verifier = open({ pem: rsa.pem }, { clock: () => now });
    const claims = await verifier.verify(text);
    const last = (Math.ceil(exp) + 5) * 1000 - 1;
    now = last;
    assert.equal(await verifier.verify(text), claims, "remembered");
    assert.equal(
      (await open({ pem: rsa.pem }, { clock: () => last }).verify(text)).subject,
      "u1",
      "fresh",
    );
    now = last + 1;
    for (const one of [verifier, open({ pem: rsa.pem }, { clock: () => last + 1 })]) {
      await assert.rejects(one.verify(text), {
        code: "UNAUTHENTICATED",
        message: "The token has expired.",
      });
    }
  }
});

test("remembers a bounded number of tokens, the latest used", async () => {
  const verifier = open({ pem: rsa.pem }, { maxRemembered: 2 });
  const [a, b, c] = ["a", "b", "c"].map((sub) => withClaims({ sub })) as [string, string, string];
  const first = await verifier.verify(a);
  await verifier.verify(b);
  assert.equal(await verifier.verify(a), first);
  await verifier.verify(c);
  assert.equal(await verifier.verify(a), first);
  verifier.close();
  assert.notEqual(await verifier.verify(a), first);
});

test("never takes one of 2,000 mutations, and never fails but with UNAUTHENTICATED", async () => {
  const verifier = open();
  const tokens = [rsa, ec, ed].map((key) => makeToken(key, good, { typ: "JWT", kid: "k" }));
  for (const one of tokens) await verifier.verify(one);
  const random = seededRandom(20_240_501).next;
  for (let i = 0; i < 2000; i++) {
    const text = tokens[i % 3]!;
    const mutation = mutate(text, random);
    if (mutation === text) continue;
    await assert.rejects(
      verifier.verify(mutation),
      (error) => {
        assert.ok(error instanceof UnauthenticatedError, `mutation ${i}: ${String(error)}`);
        assert.match(error.message, /^The token[ ']/);
        return true;
      },
      `mutation ${i} was taken: ${mutation}`,
    );
  }
});

test("takes no other last character of a signature: a token has one spelling", async () => {
  const text = makeToken(ed, good);
  for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/") {
    const spelling = text.slice(0, -1) + last;
    if (spelling !== text)
      await assert.rejects(open().verify(spelling), { code: "UNAUTHENTICATED" });
  }
});

test("finds faults of its keys when it is made", () => {
  assert.throws(() => open({ pem: "secret" }), {
    message: "There is no complete PEM block in it; -----BEGIN PUBLIC KEY----- is expected.",
  });
  assert.throws(() => open({ pem: rsaKey(1024).pem }), {
    message: "The PEM block is an RSA key of 1024 bits; at least 2048 are required.",
  });
  assert.throws(() => open({ jwksUrl: "http://example.com" }), {
    message: "The JWKS address must begin with https:// (http:// on this machine only).",
  });
});

function open(keys: TokenKeys = { pem: allPem }, options: Partial<TokenVerifierOptions> = {}) {
  return createTokenVerifier({
    keys,
    issuers: [ISSUER],
    audiences: ["photos"],
    clock: () => NOW * 1000,
    ...options,
  });
}

function mutate(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const character = String.fromCharCode(
    random() < 0.8 ? 33 + Math.floor(random() * 94) : Math.floor(random() * 65_536),
  );
  const parts = text.split(".");
  const mutations = [
    () => text.slice(0, at) + character + text.slice(at + 1),
    () => text.slice(0, at) + text.slice(at + 1),
    () => text.slice(0, at) + character + text.slice(at),
    () => text.slice(0, at),
    () => text.slice(at),
    () => text.slice(0, at) + (text[at + 1] ?? "") + (text[at] ?? "") + text.slice(at + 2),
    () => text.slice(0, at) + text.slice(at).toUpperCase(),
    () =>
      [
        parts[Math.floor(random() * 3)],
        parts[Math.floor(random() * 3)],
        parts[Math.floor(random() * 3)],
      ].join("."),
    () => flipBit(parts, Math.floor(random() * 3), random),
  ];
  return mutations[Math.floor(random() * mutations.length)]!();
}

/** Of the bytes within a part, so that the text stays sound base64url. */
function flipBit(parts: string[], index: number, random: () => number): string {
  const bytes = Buffer.from(parts[index]!, "base64url");
  const at = Math.floor(random() * bytes.length);
  bytes[at]! ^= 1 << Math.floor(random() * 8);
  return parts.with(index, bytes.toString("base64url")).join(".");
}
