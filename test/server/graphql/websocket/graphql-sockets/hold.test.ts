// Peers that upgrade and then say nothing hold the places of those that want to sign in.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually } from "../../../../support/runner/eventually.js";
import { createIdleUpgrades, type IdleUpgrades } from "./idle-upgrades.js";
import { long } from "../../../../support/runner/long.js";
import { openRawSocket } from "../../../../support/clients/raw-socket.js";
import { startTestService, type TestService } from "../../../../support/service/test-service.js";

const ELSEWHERE = "127.0.0.2";

/** How long it takes until a new socket is acknowledged; it does not try twice. */
async function signInMs(service: TestService, localAddress: string): Promise<number> {
  const token = await service.token();
  const begun = Date.now();
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
  assert.equal(end, null, `closed after ${Date.now() - begun} ms: ${JSON.stringify(end)}`);
  socket.close();
  return Date.now() - begun;
}

for (const [most, perSecond, tries, when] of [
  [40, 16, 5, {}],
  [500, 16, 30, long],
] as const) {
  describe(
    `${most} idle upgrades and ${perSecond} more a second from one address, where ${most} may open`,
    when,
    () => {
      let service: TestService;
      let idle: IdleUpgrades;
      before(async () => {
        service = await startTestService({
          workers: 0,
          env: { MAX_OPENING_SOCKETS: String(most), RATE_LIMIT_PER_MINUTE: "6000" },
        });
      });
      after(() => service.close());
      afterEach(() => idle.close());

      async function holdAllPlaces(): Promise<void> {
        idle = createIdleUpgrades(service.url);
        idle.open(most);
        idle.keepOpening(perSecond);
        await eventually("all places are held", () => idle.upgraded >= most);
      }

      it("do not keep a client of another address waiting for a second", async () => {
        await holdAllPlaces();
        const times: number[] = [];
        for (let i = 0; i < tries; i++) times.push(await signInMs(service, ELSEWHERE));
        assert.ok(Math.max(...times) < 1000, `sign-ins took ${times.join(", ")} ms`);
      });

      it("do not keep out a client of the same address: idle ones are closed after two seconds", async () => {
        await holdAllPlaces();
        const ms = await signInMs(service, "127.0.0.1");
        assert.ok(ms < 4000, `the sign-in took ${ms} ms`);
      });
    },
  );
}
