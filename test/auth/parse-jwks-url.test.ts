import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJwksUrl } from "../../src/auth/parse-jwks-url.js";

test("takes https anywhere and http on this machine", () => {
  const texts = [
    "https://keys.example.com/jwks.json?x=1",
    "http://localhost:8080/jwks",
    "http://127.0.0.1/jwks",
    "http://127.1/jwks",
    "http://[::1]:1/jwks",
  ];
  for (const text of texts) assert.equal(parseJwksUrl(text).href, new URL(text).href);
});

test("refuses http to other machines and other schemes", () => {
  const message = "The JWKS address must begin with https:// (http:// on this machine only).";
  for (const text of [
    "http://example.com/jwks",
    "http://127.0.0.1.example.com/",
    "http://localhost.example.com/",
    "http://[::2]/",
    "file:///jwks.json",
    "data:,{}",
  ]) {
    assert.throws(() => parseJwksUrl(text), { message }, text);
  }
});

test("refuses what is no URL or holds a password, without repeating it", () => {
  assert.throws(() => parseJwksUrl("keys.example.com"), {
    message: "The JWKS address is not a URL.",
  });
  assert.throws(() => parseJwksUrl(""), { message: "The JWKS address is not a URL." });
  assert.throws(() => parseJwksUrl("https://me:secret@example.com/"), {
    message: "The JWKS address must not hold a user name or password.",
  });
});
