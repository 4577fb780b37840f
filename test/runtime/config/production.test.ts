import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../../../src/runtime/config.js";
import { faultsOf } from "../faults-of.js";

describe("the configuration", () => {
  describe("in production", () => {
    const production = {
      NODE_ENV: "production",
      DATABASE_URL: "postgres://db/photos",
      REDIS_URL: "redis://redis",
    };

    it("requires keys for tokens, their issuer and audience, and a key for files", () => {
      assert.deepEqual(faultsOf(production, ["database", "redis", "tokens", "files"]), [
        "JWT_PUBLIC_KEY or JWT_JWKS_URL is not set: one of them is needed to verify tokens",
        "JWT_ISSUER is not set: it is the required value of the claim iss",
        "JWT_AUDIENCE is not set: it is the required value of the claim aud",
        "FILE_SIGNING_KEY is not set: it signs the URLs of files; 32 random characters or more",
      ]);
    });

    it("requires only what the command uses", () => {
      assert.deepEqual(
        faultsOf({ NODE_ENV: "production", DATABASE_URL: "postgres://db/photos" }, ["database"]),
        [],
      );
      assert.deepEqual(faultsOf(production, ["database", "redis", "files"]).length, 1);
    });

    it("follows the caller if NODE_ENV is unset, and otherwise NODE_ENV", () => {
      assert.deepEqual(
        [
          parseConfig({}, [], { production: true }).production,
          parseConfig({ NODE_ENV: "" }, [], { production: true }).production,
          parseConfig({ NODE_ENV: "development" }, [], { production: true }).production,
          parseConfig({ NODE_ENV: "test" }, [], { production: true }).production,
        ],
        [true, true, false, false],
      );
    });

    it("shows its schema only if a variable enables it", () => {
      assert.deepEqual(
        [
          parseConfig({}, [], { production: true }).introspection,
          parseConfig({ INTROSPECTION: "true" }, [], { production: true }).introspection,
          parseConfig({ INTROSPECTION: "false" }, [], { production: false }).introspection,
        ],
        [false, true, false],
      );
      assert.deepEqual(
        [
          parseConfig({}, [], { production: true }).explorer,
          parseConfig({ EXPLORER: "true" }, [], { production: true }).explorer,
          parseConfig({ EXPLORER: "false" }, [], { production: false }).explorer,
        ],
        [false, true, false],
      );
    });
  });
});
