import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseConfig, SECRET_NAMES } from "../../src/config.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/run-bin.js";

describe("npm run config", { concurrency: 2 }, () => {
  const cwd = temporaryFolder().path;

  it("prints what is in effect, and of secrets only that they are set", async () => {
    writeFileSync(join(cwd, "signing-key"), "a-file-secret-0123456789abcdef0123456789\n");
    const env = { PORT: "4321", DATABASE_URL: "postgres://user:db-secret@host/photos", REDIS_URL: "redis://:redis-secret@host:6379", JWT_PUBLIC_KEY: "jwt-secret", ADMIN_PASSWORD: "operators-secret", FILE_SIGNING_KEY_FILE: join(cwd, "signing-key"), ADMIN_EMAILS: "Ann@Example.test", DISABLED_JOBS: "echo, thumbnail" };
    const { code, stdout, stderr } = await runBin("config", { cwd, env });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.doesNotMatch(stdout, /secret/);
    const told = Object.fromEntries(stdout.trimEnd().split("\n").map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ")).trim()]));
    for (const name of ["databaseUrl", "redisUrl", "jwtPublicKey", "adminPassword", "fileSigningKey"]) assert.equal(told[name], "(set, not shown)", name);
    assert.deepEqual([told["jwtJwksUrl"], told["port"], told["host"], told["production"], told["adminEmails"], told["disabledJobs"]], ["null", "4321", '"127.0.0.1"', "false", '["ann@example.test"]', '["echo","thumbnail"]']);
  });

  it("knows every secret by the name under which it would be printed", () => {
    const printed = Object.keys(parseConfig({}, []));
    const names = SECRET_NAMES.map((name) => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()));
    assert.deepEqual(names.filter((name) => !printed.includes(name)), [], "such a one would be printed under another name, unmasked");
  });

  it("names every fault at once, and prints no secret among them", async () => {
    const { code, stdout, stderr } = await runBin("config", { cwd, env: { PORT: "http", MAX_UPLOAD_BYTES: "-1", FILE_SIGNING_KEY: "short-secret", DATABASE_URL: "mysql://secret@host", REDIS_URL_FILE: "/not/there" } });
    assert.deepEqual([code, stdout], [1, ""]);
    for (const fault of ["has 5 faults", "PORT is not a whole number", "MAX_UPLOAD_BYTES is not a whole number", "FILE_SIGNING_KEY is shorter than 32 characters", "DATABASE_URL is no URL that begins with postgres:// or postgresql://", "REDIS_URL_FILE cannot be read"]) assert.ok(stderr.includes(fault), `${fault}: ${stderr}`);
    assert.doesNotMatch(stderr, /secret|    at /);
  });
});
