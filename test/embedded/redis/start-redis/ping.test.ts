import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { freePort } from "../../../../src/embedded/ports.js";
import { pingRedis } from "../../../../src/embedded/redis/start-redis.js";

for (const [behaviour, pieces, answer] of [
  ["accepts the password and answers", ["+OK\r\n", "+PONG\r\n"], true],
  ["is loading its data", ["+OK\r\n-LOADING Redis is loading the dataset in memory\r\n"], false],
  ["rejects the password", ["-WRONGPASS invalid username-password pair\r\n"], false],
] as const) {
  test(`returns ${answer} for a Redis that ${behaviour}`, async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      for (const piece of pieces) socket.write(piece);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    assert.equal(await pingRedis((server.address() as AddressInfo).port, "secret"), answer);
    server.close();
  });
}

test("returns false when no Redis runs on the port", async () => {
  assert.equal(await pingRedis(await freePort(), "secret"), false);
});
