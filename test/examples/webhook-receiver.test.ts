import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { it } from "node:test";
import { receiveWebhooks } from "../../examples/webhook-receiver.js";
import { createSigner } from "../../src/services/webhooks/webhook-messages.js";
import { SECRET } from "../support/clients/webhook-receiver.js";

it("the example of a receiver verifies, handles each event once, and asks again after a failure", async () => {
  const handled: unknown[] = [];
  let fails = true;
  const server = receiveWebhooks(SECRET, (event) => {
    if (fails) throw new Error("the database is away");
    handled.push(event);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const sign = createSigner([SECRET]);
  const send = async (body: string, headers = sign("evt_1", body)) =>
    (await fetch(url, { method: "POST", body, headers })).status;
  assert.equal(await send('{"a":1}'), 400);
  fails = false;
  assert.deepEqual([await send('{"a":1}'), await send('{"a":1}')], [204, 204]);
  assert.equal(await send('{"a":2}', sign("evt_2", '{"a":1}')), 400);
  assert.equal(await send('{"a":2}', {}), 400);
  assert.deepEqual(handled, [{ a: 1 }]);
  server.closeAllConnections();
  server.close();
});
