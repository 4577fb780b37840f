import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LEEWAY_SECONDS } from "../../../../src/auth/verified-tokens.js";
import { openRawSocket } from "../../../support/clients/raw-socket.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

describe("a socket whose token expires", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0 });
  });
  after(() => service.close());

  it("is closed with 4403 after the leeway, while a socket with a valid token stays", async () => {
    // The token has expired, and is accepted during the leeway for clock differences.
    const expiresAt = Math.floor(Date.now() / 1000) - LEEWAY_SECONDS + 2;
    const [brief, long] = [openRawSocket(service.url), openRawSocket(service.url)];
    await brief.init(await service.token({ sub: "brief", exp: expiresAt }));
    // A timer of over 24.8 days fires at once and repeatedly, and Node emits a warning.
    const warnings: Error[] = [];
    process.on("warning", (warning) => warnings.push(warning));
    await long.init(await service.token({ sub: "long" }, { expiresIn: 60 * 24 * 3600 }));
    for (const socket of [brief, long])
      socket.send({
        type: "subscribe",
        id: "1",
        payload: { query: "subscription { queuedJobEvents { type } }" },
      });
    assert.deepEqual(await brief.closed(), { code: 4403, reason: "Forbidden" });
    assert.ok(Date.now() >= (expiresAt + LEEWAY_SECONDS) * 1000, "it was closed too early");
    long.send({ type: "ping" });
    await long.next("the pong", ({ type }) => type === "pong");
    assert.deepEqual(
      warnings.filter(({ name }) => name === "TimeoutOverflowWarning"),
      [],
    );
    long.close();
  });
});
