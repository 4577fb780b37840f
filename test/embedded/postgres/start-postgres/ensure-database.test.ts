import assert from "node:assert/strict";
import { test } from "node:test";
import { ensureDatabase } from "../../../../src/embedded/postgres/start-postgres.js";
import { freePort } from "../../../../src/embedded/ports.js";

// The tests of start-postgres cover the creation of a database and the use of an existing one.
test("rejects with the system's error when the server cannot be reached", async () => {
  await assert.rejects(
    ensureDatabase(`postgres://photos:secret@127.0.0.1:${await freePort()}/photos`),
    { code: "ECONNREFUSED" },
  );
});
