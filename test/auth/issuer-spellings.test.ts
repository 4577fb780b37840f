import assert from "node:assert/strict";
import { test } from "node:test";
import { issuerSpellings, normalizeIssuer } from "../../src/auth/issuer-spellings.js";

test("makes Google's two spellings one issuer", () => {
  for (const issuer of ["https://accounts.google.com", "accounts.google.com"]) {
    assert.equal(normalizeIssuer(issuer), "https://accounts.google.com");
    assert.deepEqual(issuerSpellings(issuer), [
      "https://accounts.google.com",
      "accounts.google.com",
    ]);
  }
});

test("leaves every other issuer as it is written", () => {
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
