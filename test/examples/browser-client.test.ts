import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocket } from "ws";
import { createPhotoClient } from "../../examples/browser-client.js";
import type { JobRow } from "../../examples/browser-client.js";
import { eventually } from "../support/eventually.js";
import { startTestService } from "../support/test-service.js";

describe("the client without a framework", () => {
  it("keeps a list as it is at the service, through a lost connection, and tells errors with their code", async (t) => {
    const service = await startTestService();
    const sockets: WebSocket[] = [];
    class CuttableSocket extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        sockets.push(this);
      }
    }
    const token = await service.token({ sub: "browser" });
    const client = createPhotoClient({ api: service.url, getToken: async () => token, webSocketImpl: CuttableSocket });
    t.after(async () => {
      client.close();
      await service.close();
    });
    let list: JobRow[] = [];
    const first = await client.submit({ job: "echo" });
    const stop = await client.watch((jobs) => (list = jobs));
    assert.deepEqual(list.map(({ id }) => id), [first.id]);
    await eventually("its end is told", () => list[0]?.status === "SUCCESS");
    sockets.at(-1)?.terminate();
    const second = await client.submit({ job: "echo" });
    await eventually("the second's end is told", () => list[0]?.status === "SUCCESS" && list.length === 2);
    assert.deepEqual(list.map(({ id, version }) => [id, version]), [[second.id, 3], [first.id, 3]]);
    assert.ok(sockets.length > 1, "nothing was cut");
    stop();
    await assert.rejects(client.submit({ job: "nothing" }), { code: "BAD_USER_INPUT" });
    await assert.rejects(client.upload(new Blob(["no photo"], { type: "image/jpeg" }), "ü.jpg"), { code: "PHOTO_UNREADABLE" });
  });
});
