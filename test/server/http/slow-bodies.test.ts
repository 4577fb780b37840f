import assert from "node:assert/strict";
import { request, type ClientRequest } from "node:http";
import { after, before, describe, it } from "node:test";
import Fastify from "fastify";
import { createTokenVerifier } from "../../../src/auth/token-verifier.js";
import { createPhotoInspector } from "../../../src/imaging/inspect/photo-inspector.js";
import { createFileUrls } from "../../../src/photos/file-urls.js";
import { createLocalStorage } from "../../../src/photos/local-storage.js";
import { createAuthenticator } from "../../../src/server/access/authenticator.js";
import { createRateLimits } from "../../../src/server/access/rate-limits.js";
import { registerPhotoUploads } from "../../../src/server/files/photo-uploads.js";
import { createPhotoIntake } from "../../../src/services/photos/photo-intake.js";
import { ecKey, makeToken } from "../../auth/make-token.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { testRedis } from "../../support/stores/test-redis.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { storedFiles } from "../../support/service/stored-files.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const TIMEOUTS = { idleMs: 400, wholeMs: 1600 };
const IDLE = "The upload made no progress for 0.4 seconds.";
const LONG = "The upload took more than 1.6 seconds.";

describe("a slow upload", () => {
  const folder = temporaryFolder().path;
  const key = ecKey();
  const app = Fastify();
  const closings: (() => Promise<unknown>)[] = [() => app.close()];
  let services: TestServices;
  let url: string;
  let authorization: string;
  before(async () => {
    services = await createTestServices();
    const verifier = createTokenVerifier({
      keys: { pem: key.pem },
      issuers: ["https://issuer.test"],
      audiences: ["photos"],
      logger: silentLog,
    });
    const { url: redisUrl, prefix } = testRedis();
    const rateLimits = createRateLimits({ redisUrl, prefix, requestsPerMinute: 0, log: silentLog });
    closings.push(() => rateLimits.close());
    const inspector = createPhotoInspector({
      log: silentLog,
      maxPixels: 1_000_000,
      memoryLimitBytes: 1.5 * 1024 ** 3,
    });
    const storage = await createLocalStorage(folder);
    closings.push(
      async () => verifier.close(),
      () => inspector.close(),
      () => services.close(),
    );
    await registerPhotoUploads(app, {
      authenticator: createAuthenticator({ verifier, users: services.users, rateLimits }),
      intake: createPhotoIntake({
        photos: services.photos,
        users: services.users,
        storage,
        inspector,
        maxUploadBytes: 100_000,
        maxStoredBytes: 1e9,
      }),
      fileUrls: createFileUrls({ signingKey: "k".repeat(32), publicUrl: null, storage }),
      maxUploadBytes: 100_000,
      timeouts: TIMEOUTS,
    });
    url = await app.listen({ port: 0, host: "127.0.0.1" });
    const now = Math.floor(Date.now() / 1000);
    const token = makeToken(key, {
      iss: "https://issuer.test",
      aud: "photos",
      sub: "u",
      email: "u@example.test",
      iat: now,
      exp: now + 600,
    });
    authorization = `Bearer ${token}`;
    await inspector.warm();
  });
  after(async () => {
    for (const close of closings) await close();
  });

  const FORM = { "content-type": "multipart/form-data; boundary=x" };
  const HEAD =
    '--x\r\ncontent-disposition: form-data; name="file"; ' +
    'filename="a.png"\r\ncontent-type: image/png\r\n\r\n';

  /** Returns the answer to the data that `send` writes, and its duration. */
  async function upload(
    headers: Record<string, string>,
    send: (upload: ClientRequest) => void,
  ): Promise<{ status: number; body: unknown; connection: string | undefined; ms: number }> {
    const startedAt = Date.now();
    const client = request(`${url}/photos`, {
      method: "POST",
      headers: { authorization, "transfer-encoding": "chunked", ...headers },
    });
    return new Promise((resolve, reject) => {
      client.on("error", reject);
      client.on("response", async (response) => {
        const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
        resolve({
          status: response.statusCode ?? 0,
          body: JSON.parse(text),
          connection: response.headers.connection,
          ms: Date.now() - startedAt,
        });
        client.destroy();
      });
      client.flushHeaders();
      send(client);
    });
  }

  /** Sends single bytes until the client is closed. */
  function trickle(client: ClientRequest, bytes: Uint8Array, everyMs = 50): void {
    let sent = 0;
    const timer = setInterval(
      () =>
        client.destroyed
          ? clearInterval(timer)
          : client.write(bytes.subarray(sent % bytes.length, (sent++ % bytes.length) + 1)),
      everyMs,
    );
  }

  const SLOW: [string, Record<string, string>, (client: ClientRequest) => void, string][] = [
    [
      "that stalls after its start",
      { "content-type": "image/png" },
      (client) => void client.write(smallPhoto()),
      IDLE,
    ],
    ["that sends no data", { "content-type": "image/png" }, () => {}, IDLE],
    ["in a form that sends no data", FORM, () => {}, IDLE],
    [
      "in a form that stalls within its file",
      FORM,
      (client) => void client.write(Buffer.concat([Buffer.from(HEAD), smallPhoto()])),
      IDLE,
    ],
    [
      "in a form that stalls after its file",
      FORM,
      (client) =>
        void client.write(
          Buffer.concat([Buffer.from(HEAD), smallPhoto(), Buffer.from("\r\n--x\r\n")]),
        ),
      IDLE,
    ],
    [
      "that arrives byte by byte",
      { "content-type": "image/png" },
      (client) => trickle(client, smallPhoto()),
      LONG,
    ],
    [
      "in a form that arrives byte by byte",
      FORM,
      (client) => trickle(client, Buffer.concat([Buffer.from(HEAD), smallPhoto()])),
      LONG,
    ],
  ];
  for (const [what, headers, send, message] of SLOW) {
    it(`${what} is refused with 408 after its timeout, and stores nothing`, async () => {
      const { status, body, connection, ms } = await upload(headers, send);
      assert.deepEqual(
        [status, body, connection],
        [408, { code: "BAD_USER_INPUT", message }, "close"],
      );
      // The message names the timeout that ended the upload.
      assert.ok(
        ms >= (message === IDLE ? TIMEOUTS.idleMs : TIMEOUTS.wholeMs) && ms < 10_000,
        `it took ${ms} ms`,
      );
      assert.deepEqual(storedFiles(folder), []);
      assert.equal((await services.database.sql`select from photos`).length, 0);
    });
  }

  it("is accepted when it makes progress and ends in time", async () => {
    const bytes = smallPhoto();
    const { status, body } = await upload({ "content-type": "image/png" }, (client) => {
      client.write(bytes.subarray(0, 50));
      setTimeout(() => client.write(bytes.subarray(50, 100)), 250);
      setTimeout(() => client.end(bytes.subarray(100)), 500);
    });
    assert.deepEqual([status, (body as { byteSize: number }).byteSize], [201, bytes.length]);
  });
});
