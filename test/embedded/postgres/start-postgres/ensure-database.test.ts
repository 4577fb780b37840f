import assert from "node:assert/strict";
import { test } from "node:test";
import { ensureDatabase } from "../../../../src/embedded/postgres/start-postgres.js";
import { freePort } from "../../../../src/embedded/ports.js";

// That it makes the database, and takes the one that is there, is seen in the tests of
// start-postgres.
test("a server that cannot be reached is the caller's to handle", async () => {
  await assert.rejects(
    ensureDatabase(`postgres://photos:secret@127.0.0.1:${await freePort()}/photos`),
    { code: "ECONNREFUSED" },
  );
});
