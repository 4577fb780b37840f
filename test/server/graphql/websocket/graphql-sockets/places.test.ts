import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { frame, openRawWebSocket } from "../../../../security/raw-websocket.js";
import { eventually } from "../../../../support/runner/eventually.js";
import { openRawSocket, type RawSocket } from "../../../../support/clients/raw-socket.js";
import { scrape } from "../../../../support/clients/scrape.js";
import { SocketScene, staysOpen } from "./scene.js";

describe("the places of sockets that have not signed in", () => {
  let scene: SocketScene;
  before(async () => {
    scene = await SocketScene.start();
  });
  after(() => scene.close());

  async function holdAllPlaces(url = scene.service.url): Promise<RawSocket[]> {
    const idle = Array.from({ length: 4 }, () => scene.opened({}, url));
    await Promise.all(idle.map((socket) => staysOpen(socket)));
    return idle;
  }

  async function closeAll(sockets: RawSocket[]): Promise<void> {
    for (const socket of sockets) socket.close();
    await Promise.all(sockets.map((socket) => socket.closed()));
  }

  it("are freed from idle sockets with 4408 after two seconds when another one waits", async () => {
    const idle = await holdAllPlaces();
    const startedAt = Date.now();
    const fifth = await scene.signedIn();
    assert.ok(Date.now() - startedAt < 4500, "the idle sockets were not closed early");
    const late = { code: 4408, reason: "Connection initialisation timeout" };
    await eventually("an idle socket is closed", () =>
      idle.some((socket) => socket.end?.code === late.code),
    );
    await closeAll([...idle, fifth]);
    assert.ok(idle.some(({ end }) => end?.code === late.code && end.reason === late.reason));
    (await scene.signedIn()).close();
  });

  it("are taken from the fullest network for another one, with 1013", async () => {
    const idle = await holdAllPlaces();
    const other = scene.opened({ localAddress: "127.0.0.2" });
    await other.init(await scene.service.token());
    await eventually("an idle socket is closed", () => idle.some(({ end }) => end !== null));
    const ends = idle.flatMap(({ end }) => end ?? []);
    assert.deepEqual(ends, [{ code: 1013, reason: "Try again later" }]);
    await closeAll([...idle, other]);
  });

  it("are refused with 1013 to waiting sockets when the service stops", async () => {
    const other = await scene.service.addApi();
    await holdAllPlaces(other.url);
    const fifth = openRawSocket(other.url);
    await eventually("the fifth socket waits", async () => {
      const metrics = await scrape(other.url);
      assert.equal(metrics.value("photos_sockets_opening"), 4);
      return metrics.value("photos_sockets_longest_wait_seconds") > 0;
    });
    await Promise.all([other.close(), fifth.closed()]);
    assert.deepEqual(fifth.end, { code: 1013, reason: "Try again later" });
  });

  it("are free as soon as a socket is refused, whatever its peer does", async () => {
    const refused = await Promise.all(
      Array.from({ length: 4 }, () => openRawWebSocket(scene.service.url)),
    );
    const startedAt = Date.now();
    const ended = refused.map(
      ({ socket }) => new Promise((resolve) => socket.once("close", resolve)),
    );
    for (const { write } of refused) write(frame(JSON.stringify({ type: "connection_init" })));
    await eventually("all are refused", () =>
      refused.every(({ received }) => received.includes("Forbidden")),
    );
    const refusedMs = Date.now() - startedAt;
    (await scene.signedIn()).close();
    assert.ok(Date.now() - startedAt - refusedMs < 400, "their places were not free");
    await Promise.all(ended);
    const endedMs = Date.now() - startedAt;
    assert.ok(endedMs < 5000, `they were disconnected after ${endedMs} ms`);
  });

  it("are given in turn to waiting sockets", async () => {
    const token = await scene.service.token();
    const idle = Array.from({ length: 4 }, () => scene.opened());
    await Promise.all(idle.map((socket) => staysOpen(socket)));
    const fifth = scene.signedIn(token);
    await idle[0]?.init(token);
    (await fifth).close();
    for (const socket of idle) socket.close();
    await Promise.all(idle.map((socket) => socket.closed()));
  });
});
