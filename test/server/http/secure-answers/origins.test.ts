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

describe("the origins", () => {
  for (const origin of [
    "https://app.example.test",
    "HTTPS://APP.example.test",
    "https://other.example.test",
    "https://api.example.test",
    "http://api.example.test",
    undefined,
  ]) {
    it(`take ${origin ?? "a caller that is no page"}`, () =>
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
    it(`refuse ${origin || "an empty one"}`, () => assert.equal(asks(production, origin), false));
  }
  for (const origin of [
    "http://localhost:3000",
    "https://localhost",
    "http://127.0.0.1:5173",
    "http://[::1]:8080",
  ]) {
    it(`take ${origin} outside production only`, () => {
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
    it(`refuse ${origin} outside production too`, () =>
      assert.equal(asks(development, origin), false));
  }
  it("compare the host with its port", () => {
    assert.equal(asks(production, "http://127.0.0.1:4000", "127.0.0.1:4000"), true);
    assert.equal(asks(production, "http://127.0.0.1:4001", "127.0.0.1:4000"), false);
  });
});
