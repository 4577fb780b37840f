import assert from "node:assert/strict";
import { test } from "node:test";
import { errors } from "jose";
import { claimSentence, tokenRefusal } from "../../../src/auth/token-verifier.js";
import { ServiceUnavailableError } from "../../../src/domain/errors.js";

test("returns our own errors unchanged", () => {
  const away = new ServiceUnavailableError("Away.");
  assert.equal(tokenRefusal(away), away);
});

test("never passes on a text of a library or a token", () => {
  const claims = { iss: "secret" };
  const thrown = [
    new Error("secret"),
    "secret",
    new RangeError("secret"),
    new errors.JWTInvalid("secret"),
    new errors.JWTExpired("secret", claims, "exp"),
    new errors.JWTClaimValidationFailed("secret", claims, "secret", "secret"),
    new errors.JWTClaimValidationFailed("secret", claims, "exp", "secret"),
  ];
  for (const error of thrown) {
    const refusal = tokenRefusal(error);
    assert.equal(refusal.code, "UNAUTHENTICATED");
    assert.match(refusal.message, /^The token[^"]*("[a-z]+")?[^"]*\.$/);
    assert.doesNotMatch(refusal.message, /secret/);
  }
});

test("says which claim is invalid and why", () => {
  assert.equal(claimSentence("sub", "missing"), 'The token lacks the claim "sub".');
  assert.equal(claimSentence("aud", "missing"), 'The token lacks the claim "aud".');
  assert.equal(claimSentence("aud", "check_failed"), "The token is for another audience.");
  assert.equal(claimSentence("exp", "invalid"), 'The token\'s claim "exp" is not accepted.');
  assert.equal(claimSentence("undefined", "invalid"), "The token's claims are not accepted.");
});
