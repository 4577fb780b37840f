import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createOrigins } from "../../../../src/server/http/secure-answers.js";

const production = createOrigins({
  allowed: ["https://app.example.test", "https://Other.example.test/"],
  localhost: false,
});
const development = createOrigins({ allowed: [], localhost: true });
const asks = (origins: typeof production, origin: string | undefined, host = "api.example.test") =>
  origins.allows({ headers: { host, ...(origin !== undefined && { origin }) } });

describe("the allowed origins", () => {
  for (const origin of [
    "https://app.example.test",
    "HTTPS://APP.example.test",
    "https://other.example.test",
    "https://api.example.test",
    "http://api.example.test",
    undefined,
  ]) {
    it(`include ${origin ?? "a request without an origin"}`, () =>
      assert.equal(asks(production, origin), true));
  }
  for (const origin of [
    "",
    "null",
    "https://evil.test",
    "http://app.example.test",
    "https://app.example.test:8443",
    "https://app.example.test.evil.test",
    "https://evil.test/?https://app.example.test",
    "https://api.example.test:444",
    "http://localhost:3000",
    "file://",
    "api.example.test",
  ]) {
    it(`exclude ${origin || "an empty origin"}`, () =>
      assert.equal(asks(production, origin), false));
  }
  for (const origin of [
    "http://localhost:3000",
    "https://localhost",
    "http://127.0.0.1:5173",
    "http://[::1]:8080",
  ]) {
    it(`include ${origin} only outside production`, () => {
      assert.equal(asks(development, origin), true);
      assert.equal(asks(production, origin), false);
    });
  }
  for (const origin of [
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test",
    "http://localhost:3000@evil.test",
    "null",
  ]) {
    it(`exclude ${origin} also outside production`, () =>
      assert.equal(asks(development, origin), false));
  }
  it("include the own host only with the same port", () => {
    assert.equal(asks(production, "http://127.0.0.1:4000", "127.0.0.1:4000"), true);
    assert.equal(asks(production, "http://127.0.0.1:4001", "127.0.0.1:4000"), false);
  });
});
