import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { VARIABLE_NAMES } from "../../src/runtime/variables.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/processes/run-bin.js";

const KEY = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .publicKey.export({ type: "spki", format: "pem" })
  .toString();

describe("npm run config", { concurrency: 2 }, () => {
  const cwd = temporaryFolder().path;

  it("prints the effective values with their sources, and no secrets", async () => {
    writeFileSync(join(cwd, ".env"), "PORT=1234\nMAX_JOB_TTL=60\n");
    writeFileSync(join(cwd, "signing-key"), "a-file-secret-0123456789abcdef0123456789\n");
    const env = {
      PORT: "4321",
      DATABASE_URL: "postgres://user:db-secret@host/photos",
      REDIS_URL: "redis://:redis-secret@host:6379",
      JWT_PUBLIC_KEY: KEY,
      JWT_ISSUER: "https://a.test, https://b.test",
      JWT_AUDIENCE: "photos",
      ADMIN_PASSWORD: "operators-secret",
      FILE_SIGNING_KEY_FILE: join(cwd, "signing-key"),
      ADMIN_EMAILS: "Ann@Example.test",
      EVENT_TTL: "0.5",
      TRUST_PROXY: "2",
    };
    const { code, stdout, stderr } = await runBin("config", { cwd, env });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.doesNotMatch(stdout, /secret|BEGIN PUBLIC/);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => /^(\w+) {2,}(.*?) {2,}(\S.*)$/.exec(line)?.slice(1) ?? [line]);
    assert.deepEqual(
      lines.map(([name]) => name),
      VARIABLE_NAMES,
      "the list has every variable",
    );
    const values = Object.fromEntries(lines) as Record<string, string>;
    const sources = Object.fromEntries(lines.map(([name, , source]) => [name, source]));
    assert.deepEqual(
      ["PORT", "MAX_JOB_TTL", "EVENT_TTL", "FILE_SIGNING_KEY", "HOST", "JWT_PUBLIC_KEY"].map(
        (name) => sources[name],
      ),
      ["environment", ".env", "environment", "file", "default", "environment"],
    );
    for (const name of ["DATABASE_URL", "REDIS_URL", "JWT_PUBLIC_KEY", "ADMIN_PASSWORD"])
      assert.equal(values[name], "(set, not shown)", name);
    assert.deepEqual(
      [
        "FILE_SIGNING_KEY",
        "JWT_JWKS_URL",
        "PORT",
        "HOST",
        "NODE_ENV",
        "INTROSPECTION",
        "JWT_ISSUER",
        "ADMIN_EMAILS",
        "ALLOWED_ORIGINS",
        "EVENT_TTL",
        "MAX_JOB_TTL",
        "TRUST_PROXY",
      ].map((name) => values[name]),
      [
        "(set by FILE_SIGNING_KEY_FILE, not shown)",
        "(not set)",
        "4321",
        "127.0.0.1",
        "development",
        "true",
        "https://a.test,https://b.test",
        "Ann@Example.test",
        "(none)",
        "0.5",
        "60",
        "2",
      ],
    );
  });

  it("prints what npm start chooses for variables that are not set", async () => {
    const { stdout } = await runBin("config", { cwd, env: { DATABASE_URL: "" } });
    for (const line of [
      /^DATABASE_URL +\(private PostgreSQL in \.data\) +embedded$/m,
      /^REDIS_URL +\(private Redis in \.data\) +embedded$/m,
      /^ADMIN_PASSWORD +\(in \.data\/admin-password, not shown\) +generated$/m,
      /^LOG_LEVEL +warn +npm start$/m,
    ])
      assert.match(stdout, line);
  });

  it("prints the defaults of production", async () => {
    const { stdout } = await runBin("config", { cwd, env: { NODE_ENV: "production" } });
    for (const line of [
      /^INTROSPECTION +false +default$/m,
      /^EXPLORER +false +default$/m,
      /^ECHO +false +default$/m,
      /^JWT_PUBLIC_KEY +\(not set\) +default$/m,
      /^DATABASE_URL +\(not set\) +default$/m,
      /^LOG_LEVEL +info +default$/m,
    ])
      assert.match(stdout, line);
  });

  it("names every fault at once, and prints no secret in it", async () => {
    const { code, stdout, stderr } = await runBin("config", {
      cwd,
      env: {
        JWT_PUBLIC_KEY: "no-key-but-a-secret",
        JWT_ISSUER: "i",
        JWT_AUDIENCE: "a",
        PORT: "http",
        MAX_UPLOAD_BYTES: "-1",
        FILE_SIGNING_KEY: "short-secret",
        DATABASE_URL: "mysql://secret@host",
        REDIS_URL_FILE: "/not/there",
      },
    });
    assert.deepEqual([code, stdout], [1, ""]);
    for (const fault of [
      "has 6 faults",
      "JWT_PUBLIC_KEY: It contains no complete PEM block",
      "PORT is not a whole number",
      "MAX_UPLOAD_BYTES is not a whole number",
      "FILE_SIGNING_KEY is shorter than 32 characters",
      "DATABASE_URL is not a URL that begins with postgres:// or postgresql://",
      "REDIS_URL_FILE cannot be read",
    ])
      assert.ok(stderr.includes(fault), `${fault}: ${stderr}`);
    assert.doesNotMatch(stderr, /secret|    at /);
  });
});
