import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenHeader } from "../../../src/auth/token-verifier.js";
import { base64url } from "../make-token.js";

test("reads the algorithm and the key id", () => {
  assert.deepEqual(tokenHeader(withHeader({ alg: "ES256", kid: "k1", typ: "at+JWT", x: 1 })), {
    alg: "ES256",
    kid: "k1",
  });
  assert.deepEqual(tokenHeader(withHeader({ alg: "EdDSA" })), { alg: "EdDSA" });
});

test("accepts only the types of access and ID tokens", () => {
  for (const typ of ["JWT", "jwt", "at+jwt", "application/at+jwt"])
    assert.equal(tokenHeader(withHeader({ alg: "RS256", typ })).alg, "RS256");
  for (const typ of ["", null, 1, ["JWT"], "JOSE", "dpop+jwt", "logout+jwt", "text/jwt"])
    refuse(withHeader({ alg: "RS256", typ }), "The token's header is not accepted.");
});

test("refuses a key id that is not a short text", () => {
  for (const kid of [1, null, ["k"], {}, "x".repeat(1025)])
    refuse(withHeader({ alg: "RS256", kid }), "The token's header is not accepted.");
});

test("accepts exactly 8 KiB and no more", () => {
  const short = withHeader({ alg: "RS256" });
  const token = `${short}${"A".repeat(8192 - short.length)}`;
  assert.equal(tokenHeader(token.slice(0, 8188)).alg, "RS256");
  assert.equal(token.length, 8192);
  assert.equal(tokenHeader(token).alg, "RS256");
  refuse(`${token}A`, "The token is longer than 8 KiB.");
});

test("accepts only canonical base64url", () => {
  const [header = ""] = withHeader({ alg: "RS256" }).split(".");
  assert.equal(tokenHeader(`${header}.e30.AA`).alg, "RS256");
  const others = [
    `${header}.e30.AB`,
    `${header}.e30.AA==`,
    `${header}.e30.A`,
    `${header}.e31.AA`,
    `${header}.e30.A A`,
    `${header}.e30.+/AA`,
    ` ${header}.e30.AA`,
    `${header}.e30.AA\n`,
  ];
  for (const token of [
    ...others,
    "",
    ".",
    "..",
    "a.b",
    `${header}.e30`,
    `${header}.e30.AA.AA`,
    `${header}..AA`,
    `${header}.e30.`,
    "é.é.é",
  ]) {
    refuse(token, "The token is not a valid signed JWT.");
  }
});

function withHeader(header: unknown): string {
  return `${base64url(header)}.e30.AAAA`;
}

function refuse(token: string, message: string): void {
  assert.throws(
    () => tokenHeader(token),
    { name: "UnauthenticatedError", code: "UNAUTHENTICATED", message },
    token,
  );
}
