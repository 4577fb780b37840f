import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLoggerTo } from "../../../../src/runtime/logger.js";
import { createOrigins } from "../../../../src/server/http/secure-answers.js";
import { silentLog } from "../../../support/runner/silent-log.js";

const production = createOrigins({
  allowed: ["https://app.example.test", "https://Other.example.test/"],
  localhost: false,
  log: silentLog,
});
const development = createOrigins({ allowed: [], localhost: true, log: silentLog });
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
    "http://192.168.1.5:5173",
    "null",
  ]) {
    it(`exclude ${origin} also outside production`, () =>
      assert.equal(asks(development, origin), false));
  }
  it("are explained in the log when another is refused, once each, for the first hundred", () => {
    const lines: string[] = [];
    const log = createLoggerTo({ write: (line) => void lines.push(line) });
    const origins = createOrigins({ allowed: [], localhost: true, log });
    const long = `https://${"a".repeat(5000)}.test`;
    for (const origin of ["http://192.168.1.5:5173", "HTTP://192.168.1.5:5173", long, long])
      assert.equal(asks(origins, origin), false);
    for (const origin of ["http://localhost:3000", undefined]) asks(origins, origin);
    const logged = lines.map((line) => JSON.parse(line) as { level: number; origin: string });
    assert.deepEqual(
      logged.map(({ level, origin }) => [level, origin]),
      [
        [40, "http://192.168.1.5:5173"],
        [40, long.slice(0, 200)],
      ],
    );
    assert.match(lines[0] ?? "", /add the origin to ALLOWED_ORIGINS/);
    for (let i = 0; i < 200; i++) assert.equal(asks(origins, `https://${i}.test`), false);
    assert.equal(lines.length, 100);
  });
  it("include the own host only with the same port", () => {
    assert.equal(asks(production, "http://127.0.0.1:4000", "127.0.0.1:4000"), true);
    assert.equal(asks(production, "http://127.0.0.1:4001", "127.0.0.1:4000"), false);
  });
});
