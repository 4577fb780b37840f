import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import {
  DEVELOPMENT_AUDIENCE,
  DEVELOPMENT_ISSUER,
  loadOrCreateDevelopmentKey,
  signDevelopmentToken,
} from "../../src/auth/development-key.js";
import { createTokenVerifier } from "../../src/auth/token-verifier.js";
import { rsaKey } from "./make-token.js";

const root = await mkdtemp(join(tmpdir(), "development-key-"));
after(() => rm(root, { recursive: true }));

test("creates a key that only its owner can read, and its folder", async () => {
  const folder = join(root, "new", "deeper");
  await loadOrCreateDevelopmentKey(folder);
  assert.deepEqual(await readdir(folder), ["development-key.pem"]);
  const path = join(folder, "development-key.pem");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.match(await readFile(path, "utf8"), /^-----BEGIN PRIVATE KEY-----/);
});

test("creates one key for concurrent and later callers", async () => {
  for (let round = 0; round < 5; round++) {
    const folder = join(root, `at-once-${round}`);
    const keys: ReturnType<typeof loadOrCreateDevelopmentKey>[] = [];
    for (let i = 0; i < 40; i++) {
      keys.push(loadOrCreateDevelopmentKey(folder));
      await new Promise(setImmediate);
    }
    const [key, ...others] = await Promise.all(keys);
    for (const other of others) assert.ok(other.privateKey.equals(key!.privateKey));
    assert.deepEqual(await readdir(folder), ["development-key.pem"]);
  }
});

test("creates one key for three concurrent processes", async () => {
  const folder = join(root, "processes");
  const module = new URL("../../src/auth/development-key.js", import.meta.url).href;
  const script = `const { loadOrCreateDevelopmentKey } = await import(${JSON.stringify(module)});
    const { privateKey } = await loadOrCreateDevelopmentKey(${JSON.stringify(folder)});
    console.log(privateKey.export({ type: "pkcs8", format: "pem" }));`;
  const runs = await Promise.all(
    [1, 2, 3].map(() =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]),
    ),
  );
  assert.match(runs[0]!.stdout, /^-----BEGIN PRIVATE KEY-----/);
  for (const { stdout } of runs) assert.equal(stdout, runs[0]!.stdout);
  assert.deepEqual(await readdir(folder), ["development-key.pem"]);
});

test("removes other users' permission to read a copied key", async () => {
  const folder = join(root, "copied");
  const key = await loadOrCreateDevelopmentKey(folder);
  await chmod(join(folder, "development-key.pem"), 0o644);
  assert.ok((await loadOrCreateDevelopmentKey(folder)).privateKey.equals(key.privateKey));
  assert.equal((await stat(join(folder, "development-key.pem"))).mode & 0o777, 0o600);
});

test("names a file with other content, and does not change it", async () => {
  const path = join(root, "development-key.pem");
  for (const content of [
    "",
    "secret",
    rsaKey().privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  ]) {
    await writeFile(path, content);
    await assert.rejects(loadOrCreateDevelopmentKey(root), {
      message: `${path} does not contain a development key: delete it, and a new one is created.`,
    });
    assert.equal(await readFile(path, "utf8"), content);
  }
});

test("signs tokens that the verifier accepts, for an admin too", async () => {
  const key = await loadOrCreateDevelopmentKey(join(root, "sign"));
  const verifier = createTokenVerifier({
    keys: { development: key },
    issuers: [DEVELOPMENT_ISSUER],
    audiences: [DEVELOPMENT_AUDIENCE],
    clock: () => 50_000,
  });
  const options = { email: "Ada@example.com", expiresInSeconds: 60, clock: () => 50_999 };
  const claims = await verifier.verify(await signDevelopmentToken(key, options));
  const { subject, ...others } = claims;
  assert.deepEqual(others, {
    issuer: DEVELOPMENT_ISSUER,
    email: "Ada@example.com",
    emailVerified: true,
    name: "Ada",
    picture: null,
    issuedAt: 50,
    expiresAt: 110,
    admin: false,
  });
  const again = await verifier.verify(
    await signDevelopmentToken(key, {
      ...options,
      email: "ada@EXAMPLE.com",
      name: "Countess",
      admin: true,
    }),
  );
  assert.deepEqual([again.subject, again.name, again.admin], [subject, "Countess", true]);
  const other = await verifier.verify(
    await signDevelopmentToken(key, { ...options, email: "bob@example.com" }),
  );
  assert.notEqual(other.subject, subject);
});

test("refuses to sign for an invalid e-mail address or lifetime", async () => {
  const key = await loadOrCreateDevelopmentKey(join(root, "sign"));
  for (const email of ["", "ada", "a b@c", "@", "a@b@c", `${"a".repeat(320)}@b`]) {
    await assert.rejects(signDevelopmentToken(key, { email, expiresInSeconds: 60 }), {
      message: `${JSON.stringify(email)} is not an e-mail address.`,
    });
  }
  for (const expiresInSeconds of [0, -1, Number.NaN]) {
    await assert.rejects(signDevelopmentToken(key, { email: "a@b.c", expiresInSeconds }), {
      message: "A token must expire after more than 0 seconds.",
    });
  }
});
