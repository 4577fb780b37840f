import assert from "node:assert/strict";
import { test } from "node:test";
import { issuerSpellings, normalizeIssuer, tokenClaims } from "../../src/auth/token-claims.js";

const required = { iss: "https://id.example.com", sub: "u1", email: "ada@example.com", exp: 2000 };

test("reads all claims", () => {
  const payload = {
    ...required,
    email_verified: true,
    name: " Ada ",
    picture: "https://example.com/a.png?s=1",
    iat: 1000,
    admin: true,
  };
  assert.deepEqual(tokenClaims.parse(payload), {
    issuer: "https://id.example.com",
    subject: "u1",
    email: "ada@example.com",
    emailVerified: true,
    name: "Ada",
    picture: "https://example.com/a.png?s=1",
    issuedAt: 1000,
    expiresAt: 2000,
    admin: true,
  });
});

test("uses defaults for absent optional claims", () => {
  const { emailVerified, name, picture, issuedAt, admin } = tokenClaims.parse(required);
  assert.deepEqual(
    { emailVerified, name, picture, issuedAt, admin },
    { emailVerified: false, name: "ada", picture: null, issuedAt: 0, admin: false },
  );
});

test("accepts only the boolean true for boolean claims", () => {
  for (const value of ["true", 1, [true], {}, null, "false"]) {
    const claims = tokenClaims.parse({ ...required, email_verified: value, admin: value });
    assert.equal(claims.emailVerified, false);
    assert.equal(claims.admin, false);
  }
});

test("takes the name from the e-mail if the name is not valid", () => {
  for (const name of ["", "   ", 5, null, ["Ada"], {}, "A\0da", "\uD800"])
    assert.equal(tokenClaims.parse({ ...required, name }).name, "ada");
  assert.equal(tokenClaims.parse({ ...required, email: "@example.com" }).name, "@example.com");
  assert.equal(tokenClaims.parse({ ...required, email: "ada" }).name, "ada");
});

test("cuts a name at 200 characters without splitting a character", () => {
  assert.equal(tokenClaims.parse({ ...required, name: "x".repeat(500) }).name, "x".repeat(200));
  assert.equal(
    tokenClaims.parse({ ...required, name: `${"x".repeat(199)}😀` }).name,
    "x".repeat(199),
  );
  assert.equal(
    tokenClaims.parse({ ...required, email: `${"y".repeat(250)}@example.com` }).name,
    "y".repeat(200),
  );
});

test("accepts a picture only if it is an http(s) URL of at most 2048 characters", () => {
  const long = `https://example.com/${"a".repeat(2028)}`;
  for (const picture of ["http://example.com", "HTTPS://example.com/a", long])
    assert.equal(tokenClaims.parse({ ...required, picture }).picture, picture);
  const odd = [
    `${long}a`,
    "javascript:alert(1)",
    "data:image/png;base64,",
    "//example.com/a",
    "https://",
    "https://exa mple.com",
    "http://x\n",
    "https://x/\0",
    "https://x/\uD800",
    5,
    ["https://x"],
    "",
  ];
  for (const picture of odd)
    assert.equal(tokenClaims.parse({ ...required, picture }).picture, null, String(picture));
});

test("stores both of Google's spellings as one issuer", () => {
  assert.equal(
    tokenClaims.parse({ ...required, iss: "accounts.google.com" }).issuer,
    "https://accounts.google.com",
  );
});

test("rounds expiry up and issue time down to whole seconds, within the range of dates", () => {
  const claims = tokenClaims.parse({ ...required, iat: 10.9, exp: 20.1 });
  assert.deepEqual([claims.issuedAt, claims.expiresAt], [10, 21]);
  assert.equal(tokenClaims.parse({ ...required, iat: -5 }).issuedAt, 0);
  assert.equal(tokenClaims.parse({ ...required, iat: 1e300 }).issuedAt, 253_402_300_799);
});

test("reports the fault in a required claim", () => {
  const faults = {
    sub: ["", 1, null, ["u"], {}, "x".repeat(256), "a\0b", "\uDC00"],
    email: ["", ["a"], 1, null, "x".repeat(321), "a\0@b"],
    iss: ["", ["https://id.example.com"], 1],
    exp: [1e300, -1, "2000", Number.POSITIVE_INFINITY, Number.NaN, 253_402_300_800, null],
  };
  for (const [claim, values] of Object.entries(faults)) {
    for (const value of values) {
      const parsed = tokenClaims.safeParse({ ...required, [claim]: value });
      assert.deepEqual(parsed.error?.issues[0]?.path, [claim], `${claim} ${String(value)}`);
    }
  }
});

test("lists both of Google's spellings of its issuer", () => {
  for (const issuer of ["https://accounts.google.com", "accounts.google.com"]) {
    assert.equal(normalizeIssuer(issuer), "https://accounts.google.com");
    assert.deepEqual(issuerSpellings(issuer), [
      "https://accounts.google.com",
      "accounts.google.com",
    ]);
  }
});

test("leaves every other issuer unchanged", () => {
  for (const issuer of [
    "http://accounts.google.com",
    "https://accounts.google.com/",
    "https://id.example.com",
    "",
  ]) {
    assert.equal(normalizeIssuer(issuer), issuer);
    assert.deepEqual(issuerSpellings(issuer), [issuer]);
  }
});
