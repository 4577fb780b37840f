import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort } from "../../src/embedded/ports.js";

test("returns the preferred port if it is free, else one that clients never use", async () => {
  const port = await freePort();
  assert.ok(port >= 15_000 && port < 32_000);
  assert.equal(await freePort(port), port);
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  assert.notEqual(await freePort(port), port);
  server.close();
});
