import assert from "node:assert/strict";
import { test } from "node:test";
import { publicKey } from "../../src/auth/public-keys.js";
import { UnauthenticatedError } from "../../src/domain/errors.js";
import { makeToken, rsaKey } from "./make-token.js";
import { seededRandom } from "../support/runner/seeded-random.js";
import {
  NOW,
  ISSUER,
  rsa,
  ec,
  ed,
  other,
  good,
  SIGNATURE,
  withClaims,
  open,
} from "./token-verifier/token-verifier-scene.js";

const UNKNOWN_KEY = "The token is signed with an unknown key.";
test("accepts a token of each kind of key and returns its claims", async () => {
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

test("accepts tokens of the old and the new key during a rotation", async () => {
  const verifier = open({ pem: rsa.pem + other.pem });
  for (const key of [rsa, other])
    assert.equal((await verifier.verify(makeToken(key, good))).subject, "u1");
  await assert.rejects(verifier.verify(makeToken(rsaKey(), good)), {
    code: "UNAUTHENTICATED",
    message: SIGNATURE,
  });
});

test("refuses an accepted algorithm that is not the configured key's", async () => {
  for (const key of [ec, ed])
    await assert.rejects(open({ pem: rsa.pem }).verify(makeToken(key, good)), {
      code: "UNAUTHENTICATED",
      message: UNKNOWN_KEY,
    });
});

test("accepts any of several issuers and audiences", async () => {
  const verifier = open(
    { pem: rsa.pem },
    { issuers: [ISSUER, "second"], audiences: ["photos", "albums"] },
  );
  for (const claims of [{ iss: "second" }, { aud: "albums" }, { aud: ["other", "albums"] }])
    assert.equal((await verifier.verify(withClaims(claims))).subject, "u1");
});

test("accepts both of Google's spellings if one is configured, as one issuer", async () => {
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

test("honours the claim admin only if the development key signed it", async () => {
  const claims = withClaims({ admin: true });
  const development = { publicKey: publicKey(rsa.publicKey), privateKey: rsa.privateKey };
  assert.equal((await open({ development }).verify(claims)).admin, true);
  assert.equal((await open({ development }).verify(withClaims({ admin: "true" }))).admin, false);
  assert.equal((await open({ pem: rsa.pem }).verify(claims)).admin, false);
});

test("limits the issue time to the present", async () => {
  assert.equal((await open().verify(withClaims({ iat: NOW + 1e9 }))).issuedAt, NOW);
});

test("allows 5 seconds of clock difference", async () => {
  assert.equal((await open().verify(withClaims({ exp: NOW - 4 }))).expiresAt, NOW - 4);
  assert.equal((await open().verify(withClaims({ nbf: NOW + 5 }))).subject, "u1");
});

test("expires a cached token in the same second as a new one", async () => {
  for (const exp of [NOW + 60, NOW + 60.5]) {
    const text = withClaims({ exp });
    let now = NOW * 1000;
    const verifier = open({ pem: rsa.pem }, { clock: () => now });
    const claims = await verifier.verify(text);
    const last = (Math.ceil(exp) + 5) * 1000 - 1;
    now = last;
    assert.equal(await verifier.verify(text), claims, "cached");
    assert.equal(
      (await open({ pem: rsa.pem }, { clock: () => last }).verify(text)).subject,
      "u1",
      "new",
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

test("caches a bounded number of tokens, the most recently used", async () => {
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

test("refuses 2,000 mutated tokens, always with UNAUTHENTICATED", async () => {
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
      `mutation ${i} was accepted: ${mutation}`,
    );
  }
});

test("accepts no other last character of a signature: a token has one spelling", async () => {
  const text = makeToken(ed, good);
  for (const last of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/") {
    const spelling = text.slice(0, -1) + last;
    if (spelling !== text)
      await assert.rejects(open().verify(spelling), { code: "UNAUTHENTICATED" });
  }
});

test("reports faults in its keys when it is created", () => {
  assert.throws(() => open({ pem: "secret" }), {
    message: "It contains no complete PEM block; -----BEGIN PUBLIC KEY----- is expected.",
  });
  assert.throws(() => open({ pem: rsaKey(1024).pem }), {
    message: "The PEM block is an RSA key of 1024 bits; at least 2048 are required.",
  });
  assert.throws(() => open({ jwksUrl: "http://example.com" }), {
    message: "The JWKS address must begin with https:// (http:// on this machine only).",
  });
});

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

/** Flips a bit in the bytes of a part, so that the text stays valid base64url. */
function flipBit(parts: string[], index: number, random: () => number): string {
  const bytes = Buffer.from(parts[index]!, "base64url");
  const at = Math.floor(random() * bytes.length);
  bytes[at]! ^= 1 << Math.floor(random() * 8);
  return parts.with(index, bytes.toString("base64url")).join(".");
}
