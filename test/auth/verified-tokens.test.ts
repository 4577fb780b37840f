import assert from "node:assert/strict";
import { test } from "node:test";
import type { TokenClaims } from "../../src/auth/token-claims.js";
import { createVerifiedTokens } from "../../src/auth/verified-tokens.js";
import { compact } from "./make-token.js";

const claims: TokenClaims = {
  issuer: "i",
  subject: "u1",
  email: "a@b.c",
  emailVerified: true,
  name: "a",
  picture: null,
  issuedAt: 0,
  expiresAt: 1000,
  admin: false,
};

test("returns a token until its expiry plus the leeway", () => {
  let now = 0;
  const tokens = createVerifiedTokens({ generation: () => 1, clock: () => now, max: 10 });
  tokens.add("t", claims, 1);
  now = 1_004_999;
  assert.equal(tokens.find("t"), claims);
  assert.equal(tokens.find("T"), undefined);
  now = 1_005_000;
  assert.equal(tokens.find("t"), undefined);
});

test("drops all tokens when the keys change, and refuses those verified by other keys", () => {
  let generation = 1;
  const tokens = createVerifiedTokens({ generation: () => generation, clock: () => 0, max: 10 });
  tokens.add("a", claims, 1);
  generation = 2;
  assert.equal(tokens.find("a"), undefined);
  tokens.add("b", claims, 1);
  assert.equal(tokens.find("b"), undefined);
  tokens.add("b", claims, 2);
  assert.equal(tokens.find("b"), claims);
  generation = 1;
  assert.equal(tokens.find("b"), undefined);
});

test("keeps the most recently used tokens only", () => {
  const tokens = createVerifiedTokens({ generation: () => 1, clock: () => 0, max: 2 });
  for (const token of ["a", "b"]) tokens.add(token, claims, 1);
  assert.equal(tokens.find("a"), claims);
  tokens.add("c", claims, 1);
  assert.deepEqual(
    ["a", "b", "c"].map((token) => tokens.find(token) !== undefined),
    [true, false, true],
  );
  tokens.clear();
  assert.equal(tokens.find("a"), undefined);
});

test("recognises the subject of an unverified token five times per verified token", () => {
  const tokens = createVerifiedTokens({ generation: () => 1, clock: () => 0, max: 10 });
  const named = (sub: unknown) => compact({ alg: "ES256" }, { sub }, () => "no signature");
  const results = (sub: unknown) =>
    Array.from({ length: 6 }, () => tokens.namesVerifiedSubject(named(sub)));
  assert.ok(!results("u1").includes(true));
  for (const _ of [1, 2]) {
    tokens.add("t", claims, 1);
    assert.deepEqual(results("u1"), [true, true, true, true, true, false]);
  }
  tokens.add("t", claims, 1);
  for (const other of ["u2", "", 1, null, ["u1"], undefined])
    assert.ok(!results(other).includes(true), String(other));
  for (const text of ["", "x.y.z", named("u1").split(".")[1] ?? ""])
    assert.equal(tokens.namesVerifiedSubject(text), false);
});
