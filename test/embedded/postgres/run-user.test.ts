import assert from "node:assert/strict";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { chooseRunUser } from "../../../src/embedded/postgres/run-user.js";
import { createScene, isRoot } from "../scene.js";

const scene = createScene();
const passwd = join(scene.folder, "passwd");
const folder = join(scene.folder, "data");
mkdirSync(folder);
after(() => scene.clear());

test(
  "uses the current user for the servers when it is not root",
  { skip: isRoot && "root bypasses permissions: run the suite as an ordinary user" },
  () => {
    assert.equal(chooseRunUser(folder), undefined);
  },
);

test(
  "uses nobody for root, or the owner of existing data",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  () => {
    writeFileSync(
      passwd,
      "# users\nroot:x:0:0::/:/bin/sh\nann:x:1234:1235::/:/bin/sh\nnobody:x:-2:-2::/:/bin/false\n",
    );
    assert.deepEqual(chooseRunUser(folder, passwd), {
      name: "nobody",
      uid: 4_294_967_294,
      gid: 4_294_967_294,
    });
    chownSync(folder, 1234, 1235);
    assert.deepEqual(chooseRunUser(folder, passwd), { name: "ann", uid: 1234, gid: 1235 });
    assert.equal(chooseRunUser(join(folder, "none"), passwd)?.name, "nobody");
  },
);

test(
  "says in one sentence that root has no other user for the servers",
  { skip: !isRoot && "only root can change to another user: run the suite as root" },
  () => {
    writeFileSync(passwd, "root:x:0:0::/:/bin/sh\n");
    assert.throws(() => chooseRunUser(folder, passwd), {
      name: "EmbeddedError",
      message:
        "PostgreSQL does not run as root, and this system has no user nobody: start as an " +
        "ordinary user, or set DATABASE_URL and REDIS_URL.",
    });
  },
);
