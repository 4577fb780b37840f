import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { long } from "../support/runner/long.js";
import { runBin } from "../support/processes/run-bin.js";

const DATABASE =
  "  - DATABASE_URL is not set: it names the PostgreSQL to use, as " +
  "postgres://user:password@host:5432/database";
const REDIS = "  - REDIS_URL is not set: it names the Redis to use, as redis://host:6379";
const TOKENS = [
  "  - JWT_PUBLIC_KEY or JWT_JWKS_URL is not set: one of them is needed to verify tokens",
  "  - JWT_ISSUER is not set: it is the required value of the claim iss",
  "  - JWT_AUDIENCE is not set: it is the required value of the claim aud",
];
const FILES =
  "  - FILE_SIGNING_KEY is not set: it signs the URLs of files; 32 random characters or more";

describe("a process without its environment", { concurrency: 2 }, () => {
  const cwd = temporaryFolder().path;
  const FAULTS: [string, Record<string, string>, string[]][] = [
    ["api", {}, ["The configuration has 6 faults:", DATABASE, REDIS, ...TOKENS, FILES]],
    [
      "api",
      { PORT: "x", JWT_PUBLIC_KEY: "-----BEGIN PRIVATE KEY-----", JWT_ISSUER: "i" },
      [
        "The configuration has 6 faults:",
        '  - PORT is not a whole number (it is "x")',
        DATABASE,
        REDIS,
        TOKENS[2] ?? "",
        FILES,
        "  - JWT_PUBLIC_KEY: It contains a private key; pass its public key and keep the " +
          "private key elsewhere.",
      ],
    ],
    [
      "api",
      { JWT_JWKS_URL: "http://keys.test/jwks", JWT_ISSUER: "i", JWT_AUDIENCE: "a" },
      [
        "The configuration has 4 faults:",
        DATABASE,
        REDIS,
        FILES,
        "  - JWT_JWKS_URL: The JWKS address must begin with https:// (http:// on this " +
          "machine only).",
      ],
    ],
    [
      "start",
      { NODE_ENV: "production", PORT: "x" },
      [
        "The configuration has 6 faults:",
        '  - PORT is not a whole number (it is "x")',
        ...TOKENS,
        FILES,
        "  - NODE_ENV is production, where no private PostgreSQL and Redis are started by " +
          "default: set DATABASE_URL and REDIS_URL, or EMBEDDED=true",
      ],
    ],
    ["worker", {}, ["The configuration has 2 faults:", DATABASE, REDIS]],
    ["migrate", {}, ["The configuration has a fault:", DATABASE]],
  ];
  for (const [i, [name, env, lines]] of FAULTS.entries()) {
    // Each case starts a process.
    const length = i === 0 ? {} : long;
    it(
      `${name} names every fault at once and exits 1, with ${JSON.stringify(env)}`,
      length,
      async () => {
        assert.deepEqual(await runBin(name, { cwd, env }), {
          code: 1,
          stdout: "",
          stderr: `${lines.join("\n")}\n`,
        });
      },
    );
  }
});
