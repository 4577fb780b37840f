import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { decodeJwt } from "jose";
import { createVerifier } from "../../src/app/create-verifier.js";
import { parseConfig } from "../../src/runtime/config.js";
import { createLogger } from "../../src/runtime/logger.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/processes/run-bin.js";

describe("npm run token", { concurrency: 2 }, () => {
  const cwd = temporaryFolder().path;
  const token = (...args: string[]) => runBin("token", { cwd, args });

  it("prints a token for the e-mail, which the service of this folder accepts", async () => {
    const { code, stdout, stderr } = await token("--email", "Ann@example.test");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const verifier = await createVerifier(
      { ...parseConfig({}, []), dataFolder: join(cwd, ".data") },
      createLogger({ name: "test", level: "silent", pretty: false }),
    );
    const claims = await verifier.verify(stdout.trim());
    verifier.close();
    assert.deepEqual(
      [claims.email, claims.emailVerified, claims.admin, claims.expiresAt - claims.issuedAt],
      ["Ann@example.test", true, false, 12 * 3600],
    );
    assert.equal(statSync(join(cwd, ".data/development-key.pem")).mode & 0o777, 0o600);
  });

  it("sets the role admin and the lifetime on request", async () => {
    const [one, other] = await Promise.all([
      token("--email", "ann@example.test", "--admin", "--expires", "90s"),
      token("--expires=2d", "--email=ANN@example.test"),
    ]);
    const [admin, user] = [decodeJwt(one.stdout.trim()), decodeJwt(other.stdout.trim())];
    assert.deepEqual([admin["admin"], Number(admin.exp) - Number(admin.iat)], [true, 90]);
    assert.deepEqual(
      [user["admin"], Number(user.exp) - Number(user.iat)],
      [undefined, 2 * 24 * 3600],
    );
    assert.equal(user.sub, admin.sub);
  });

  const FAULTS: [string, string[], string][] = [
    ["a missing e-mail", [], "--email is missing."],
    ["an invalid e-mail address", ["--email", "ann"], "--email is not an e-mail address."],
    ["an unknown option", ["--email", "a@b.c", "--root"], "Unknown option '--root'."],
    [
      "an invalid duration",
      ["--email", "a@b.c", "--expires", "soon"],
      '"soon" is not a duration: a whole number with a unit is expected, such as 90s, ' +
        "30m, 1h or 2d (3650d at most).",
    ],
  ];
  for (const [fault, args, message] of FAULTS) {
    it(`rejects ${fault} with one sentence and its usage`, async () => {
      const { code, stdout, stderr } = await token(...args);
      assert.deepEqual([code, stdout], [1, ""]);
      const start =
        `Invalid arguments: ${message}\n\nUsage: npm run token -- --email <address> ` +
        "[--admin] [--expires <duration>]\n";
      assert.ok(stderr.startsWith(start), stderr);
      assert.doesNotMatch(stderr, /configuration| {4}at /);
    });
  }

  it("prints no token in production, which does not accept one", async () => {
    const { code, stdout, stderr } = await runBin("token", {
      cwd,
      args: ["--email", "a@b.c"],
      env: { NODE_ENV: "production" },
    });
    assert.deepEqual(
      [code, stdout, stderr],
      [
        1,
        "",
        "The configuration has a fault:\n  - NODE_ENV is production, which does not accept " +
          "development tokens: unset it, or use a token of your identity provider\n",
      ],
    );
  });
});
