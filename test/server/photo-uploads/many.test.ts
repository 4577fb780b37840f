import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { once } from "node:events";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { smallPhoto } from "../../support/small-photo.js";
import { storedFiles } from "../../support/stored-files.js";
import { startTestService } from "../../support/test-service.js";
import type { TestService } from "../../support/test-service.js";

const UPLOADS = 50;
const MEGABYTES_EACH = 4;

describe("many uploads at once", () => {
  const folder = temporaryFolder().path;
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0, env: { STORAGE_URL: `file:${folder}` } });
  });
  after(() => service.close());

  /** A photo with megabytes behind its end, sent as fast as it is taken; gives the status. */
  async function upload(authorization: string, filler: Buffer): Promise<number> {
    const client = request(`${service.url}/photos`, { method: "POST", headers: { authorization, "content-type": "image/png", "transfer-encoding": "chunked" } });
    const answer = new Promise<number>((resolve, reject) => {
      client.on("error", reject);
      client.on("response", (response) => (response.resume(), resolve(response.statusCode ?? 0)));
    });
    client.write(smallPhoto());
    for (let sent = 0; sent < MEGABYTES_EACH * 1e6; sent += filler.length) if (!client.write(filler)) await once(client, "drain");
    client.end();
    return answer;
  }

  it("are all taken, and are never in memory together", async () => {
    const authorization = `Bearer ${await service.token()}`;
    const filler = Buffer.alloc(250_000);
    const held = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    const [before_, peak] = [held(), { bytes: 0 }];
    const timer = setInterval(() => (peak.bytes = Math.max(peak.bytes, held())), 10);
    const statuses = await Promise.all(Array.from({ length: UPLOADS }, () => upload(authorization, filler)));
    clearInterval(timer);
    assert.deepEqual([...new Set(statuses)], [201]);
    const grown = Math.round((peak.bytes - before_) / 1e6);
    assert.ok(grown < (UPLOADS * MEGABYTES_EACH) / 2, `${UPLOADS} uploads of ${MEGABYTES_EACH} MB took ${grown} MB of memory`);
    assert.deepEqual(storedFiles(`${folder}/scratch`), []);
  });
});
