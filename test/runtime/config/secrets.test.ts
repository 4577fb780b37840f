import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { parseConfig } from "../../../src/runtime/config.js";
import { SECRET_NAMES } from "../../../src/runtime/variables.js";
import { faultsOf } from "../faults-of.js";

const folder = mkdtempSync(join(tmpdir(), "photo-config-"));
after(() => rmSync(folder, { recursive: true }));
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const SECRET = "hunter2-hunter2-hunter2-hunter2-";

describe("the configuration", () => {
  describe("of secrets", () => {
    it("comes from the named file, without the trailing line break", () => {
      const key = "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----";
      const config = parseConfig(
        {
          DATABASE_URL_FILE: file("database", "postgres://db/photos\n"),
          REDIS_URL_FILE: file("redis", "redis://redis\r\n"),
          JWT_PUBLIC_KEY_FILE: file("key", `${key}\n`),
          FILE_SIGNING_KEY_FILE: file("signing", ` ${SECRET} `),
        },
        ["database", "redis"],
      );
      assert.deepEqual(
        [config.databaseUrl, config.redisUrl, config.jwtPublicKey, config.fileSigningKey],
        ["postgres://db/photos", "redis://redis", key, SECRET],
      );
    });

    it("is refused if both a variable and a file set it, whatever the file contains", () => {
      for (const name of SECRET_NAMES) {
        const values: Record<string, string> = {
          FILE_SIGNING_KEY: SECRET,
          REDIS_URL: "redis://redis",
          JWT_JWKS_URL: "https://keys.test",
          WEBHOOK_URL: "https://receiver.test",
          WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString("base64")}`,
        };
        const others = /^(JWT_ISSUER|JWT_AUDIENCE|WEBHOOK_SECRET is not set)/;
        const value = values[name] ?? "postgres://db/photos";
        const both = `${name} and ${name}_FILE are both set: set only one of them`;
        assert.deepEqual(
          faultsOf({ [name]: value, [`${name}_FILE`]: file("same", value) }).filter(
            (fault) => !others.test(fault),
          ),
          [both],
        );
        assert.ok(
          faultsOf({ [name]: value, [`${name}_FILE`]: join(folder, "missing") }).includes(both),
        );
      }
    });

    it("does not come from a file for a variable that is not a secret", () =>
      assert.equal(parseConfig({ PORT_FILE: file("port", "80") }, []).port, 4000));

    it("reports an unreadable file and an invalid content, without quoting the content", () => {
      const missing = join(folder, "missing");
      const [first, ...others] = faultsOf({
        DATABASE_URL_FILE: missing,
        FILE_SIGNING_KEY_FILE: file("short", "s3cr3t"),
      });
      assert.match(first ?? "", /^DATABASE_URL_FILE cannot be read: ENOENT/);
      assert.deepEqual(others, ["FILE_SIGNING_KEY is shorter than 32 characters"]);
    });

    it("reports an empty file and never treats it as a missing key", () => {
      const path = file("empty", " \n");
      for (const name of SECRET_NAMES)
        assert.deepEqual(faultsOf({ [`${name}_FILE`]: path }), [
          `${name}_FILE names an empty file: ${path}`,
        ]);
    });

    it("never appears in a fault, whichever variable is wrong", () => {
      for (const name of SECRET_NAMES) {
        const wrong = name === "JWT_PUBLIC_KEY" ? { JWT_JWKS_URL: "https://keys.test" } : {};
        const noKey = name.startsWith("AWS_") ? "hunter2 hunter2" : "hunter2://ann:hunter2@host";
        const value = ["FILE_SIGNING_KEY", "ADMIN_PASSWORD"].includes(name) ? "hunter2" : noKey;
        const text = faultsOf({ [name]: value, ...wrong, PORT: "x" }).join("\n");
        assert.match(text, new RegExp(name), `${name} is named`);
        assert.doesNotMatch(text, /hunter2/, name);
      }
    });
  });
});
