// Peers that upgrade and then send nothing occupy the places of clients that want to sign in.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../../../../support/runner/eventually.js";
import { createIdleUpgrades, type IdleUpgrades } from "./idle-upgrades.js";
import { long } from "../../../../support/runner/long.js";
import { openRawSocket } from "../../../../support/clients/raw-socket.js";
import { startTestService, type TestService } from "../../../../support/service/test-service.js";

const OTHER_ADDRESS = "127.0.0.2";

/** Measures the time until a new socket is acknowledged, without a second try. */
async function signInMs(service: TestService, localAddress: string): Promise<number> {
  const token = await service.token();
  const startedAt = Date.now();
  const socket = openRawSocket(service.url, { localAddress });
  let end: { code: number } | null = null;
  void socket.closed().then(
    (closed) => (end = closed),
    () => {},
  );
  socket.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
  await eventually(
    "it is acknowledged or closed",
    () => end ?? socket.messages.find(({ type }) => type === "connection_ack"),
  );
  assert.equal(end, null, `closed after ${Date.now() - startedAt} ms: ${JSON.stringify(end)}`);
  socket.close();
  return Date.now() - startedAt;
}

for (const [places, perSecond, tries, when] of [
  [40, 16, 5, {}],
  [500, 16, 30, long],
] as const) {
  describe(
    `idle upgrades from one address on all ${places} places, and ${perSecond} more per second`,
    when,
    () => {
      let service: TestService;
      let idle: IdleUpgrades;
      before(async () => {
        service = await startTestService({
          workers: 0,
          env: { MAX_OPENING_SOCKETS: String(places), RATE_LIMIT_PER_MINUTE: "6000" },
        });
      });
      after(() => service.close());
      afterEach(() => idle.close());

      async function holdAllPlaces(): Promise<void> {
        idle = createIdleUpgrades(service.url);
        idle.open(places);
        idle.keepOpening(perSecond);
        await eventually("all places are occupied", () => idle.upgraded >= places);
      }

      it("delay a client of another address by less than one second", async () => {
        await holdAllPlaces();
        const times: number[] = [];
        for (let i = 0; i < tries; i++) times.push(await signInMs(service, OTHER_ADDRESS));
        assert.ok(Math.max(...times) < 1000, `sign-ins took ${times.join(", ")} ms`);
      });

      it("do not keep out a client of the same address, since idle ones are closed", async () => {
        await holdAllPlaces();
        const ms = await signInMs(service, "127.0.0.1");
        assert.ok(ms < 4000, `the sign-in took ${ms} ms`);
      });
    },
  );
}
