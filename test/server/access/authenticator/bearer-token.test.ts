import assert from "node:assert/strict";
import { test } from "node:test";
import { bearerToken } from "../../../../src/server/access/authenticator.js";
import { UnauthenticatedError } from "../../../../src/domain/errors.js";

const NONE = 'Sign in: no token was sent; "Authorization: Bearer <token>" is expected.';
const ONE = 'Sign in: exactly one "Authorization: Bearer <token>" is expected.';

test("bearerToken returns the token of one Bearer, with the scheme in any case", () => {
  for (const header of ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c", " Bearer a.b.c "]) {
    assert.equal(bearerToken(header), "a.b.c", header);
  }
  assert.equal(bearerToken(["Bearer a.b.c"]), "a.b.c");
});

test("bearerToken asks to sign in when there is no header", () => {
  assert.throws(
    () => bearerToken(undefined),
    (error) => refused(error, NONE),
  );
  assert.throws(
    () => bearerToken([]),
    (error) => refused(error, NONE),
  );
});

test("refuses anything but exactly one Bearer, and does not repeat it", () => {
  const headers = [
    "",
    "Bearer",
    "Bearer ",
    "a.b.c",
    "Basic YTpi",
    "Bearer a.b.c d",
    "Bearer a.b.c, Bearer d.e.f",
    "Bearer Bearer a.b.c",
  ];
  const odd = [
    "Bearera.b.c",
    "Bearer\ta.b.c",
    "Bearer a.b.c,d",
    "Token a.b.c",
    `Bearer${" ".repeat(200_000)}`,
  ];
  for (const header of [
    ...headers,
    ...odd,
    ["Bearer a.b.c", "Bearer d.e.f"],
    ["Bearer a", "Basic b"],
  ]) {
    assert.throws(
      () => bearerToken(header),
      (error) => refused(error, ONE),
      JSON.stringify(header).slice(0, 80),
    );
  }
});

function refused(error: unknown, message: string): boolean {
  assert.ok(error instanceof UnauthenticatedError);
  assert.equal(error.code, "UNAUTHENTICATED");
  assert.equal(error.message, message);
  return true;
}
