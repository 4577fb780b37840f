import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, describe, it } from "node:test";
import { once } from "node:events";
import { temporaryFolder } from "../../../imaging/temporary-folder.js";
import { eventually } from "../../../support/runner/eventually.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { storedFiles } from "../../../support/service/stored-files.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const USERS = 5;
/** The maximum of concurrent uploads per user. */
const UPLOADS_EACH = 10;
const UPLOADS = USERS * UPLOADS_EACH;
const MEGABYTES_EACH = 4;

describe("many concurrent uploads", () => {
  const folder = temporaryFolder().path;
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0, env: { STORAGE_URL: `file:${folder}` } });
  });
  after(() => service.close());

  /** Uploads a photo followed by megabytes, as fast as possible. Returns the status. */
  async function upload(authorization: string, filler: Buffer): Promise<number> {
    const client = request(`${service.url}/photos`, {
      method: "POST",
      headers: { authorization, "content-type": "image/png", "transfer-encoding": "chunked" },
    });
    const answer = new Promise<number>((resolve, reject) => {
      client.on("error", reject);
      client.on("response", (response) => (response.resume(), resolve(response.statusCode ?? 0)));
    });
    client.write(smallPhoto());
    for (let sent = 0; sent < MEGABYTES_EACH * 1e6; sent += filler.length)
      if (!client.write(filler)) await once(client, "drain");
    client.end();
    return answer;
  }

  it("are all accepted, without being in memory together", async () => {
    const tokens = await Promise.all(Array.from({ length: USERS }, () => service.token()));
    const filler = Buffer.alloc(250_000);
    const used = () => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
    const [bytesBefore, peak] = [used(), { bytes: 0 }];
    const timer = setInterval(() => (peak.bytes = Math.max(peak.bytes, used())), 10);
    const all = tokens.flatMap((token) =>
      Array.from({ length: UPLOADS_EACH }, () => upload(`Bearer ${token}`, filler)),
    );
    const statuses = await Promise.all(all);
    clearInterval(timer);
    assert.deepEqual([...new Set(statuses)], [201]);
    const growth = Math.round((peak.bytes - bytesBefore) / 1e6);
    assert.ok(
      growth < (UPLOADS * MEGABYTES_EACH) / 2,
      `${UPLOADS} uploads of ${MEGABYTES_EACH} MB took ${growth} MB of memory`,
    );
    assert.deepEqual(storedFiles(`${folder}/scratch`), []);
  });

  it("of one user are limited to ten: 429 with retry-after", async () => {
    const authorization = `Bearer ${await service.token()}`;
    const open = Array.from({ length: 10 }, () => {
      const client = request(`${service.url}/photos`, {
        method: "POST",
        headers: { authorization, "content-type": "image/png" },
      });
      client.on("error", () => {});
      client.write(smallPhoto());
      return client;
    });
    await eventually(
      "all have started",
      () => storedFiles(`${folder}/scratch`).length === open.length,
    );
    const headers = { authorization, "content-type": "image/png" };
    const refused = await fetch(`${service.url}/photos`, {
      method: "POST",
      headers,
      body: smallPhoto(),
    });
    const { code, retryAfterMs } = (await refused.json()) as { code: string; retryAfterMs: number };
    assert.deepEqual(
      [refused.status, refused.headers.get("retry-after"), code, retryAfterMs],
      [429, "1", "QUOTA_EXCEEDED", 1000],
    );
    for (const client of open) client.destroy();
    await eventually(
      "their files are removed",
      () => storedFiles(`${folder}/scratch`).length === 0,
    );
    await eventually("the next one is accepted", async () => {
      const next = await fetch(`${service.url}/photos`, {
        method: "POST",
        headers,
        body: smallPhoto(),
      });
      return next.status === 201;
    });
  });
});
