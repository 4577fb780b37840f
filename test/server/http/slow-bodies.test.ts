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
const IDLE = "Nothing came of the upload for 0.4 seconds.";
const LONG = "The upload took more than 1.6 seconds.";

describe("an upload that comes slowly", () => {
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

  /** The answer, and how long it took, to what `send` writes. */
  async function upload(
    headers: Record<string, string>,
    send: (upload: ClientRequest) => void,
  ): Promise<{ status: number; body: unknown; connection: string | undefined; ms: number }> {
    const begun = Date.now();
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
          ms: Date.now() - begun,
        });
        client.destroy();
      });
      client.flushHeaders();
      send(client);
    });
  }

  /** A byte now and then, until the client is ended. */
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
      "begins and stands still",
      { "content-type": "image/png" },
      (client) => void client.write(smallPhoto()),
      IDLE,
    ],
    ["never begins", { "content-type": "image/png" }, () => {}, IDLE],
    ["is a form that never begins", FORM, () => {}, IDLE],
    [
      "is a form that stands still in its file",
      FORM,
      (client) => void client.write(Buffer.concat([Buffer.from(HEAD), smallPhoto()])),
      IDLE,
    ],
    [
      "is a form that stands still behind its file",
      FORM,
      (client) =>
        void client.write(
          Buffer.concat([Buffer.from(HEAD), smallPhoto(), Buffer.from("\r\n--x\r\n")]),
        ),
      IDLE,
    ],
    [
      "comes byte by byte",
      { "content-type": "image/png" },
      (client) => trickle(client, smallPhoto()),
      LONG,
    ],
    [
      "is a form that comes byte by byte",
      FORM,
      (client) => trickle(client, Buffer.concat([Buffer.from(HEAD), smallPhoto()])),
      LONG,
    ],
  ];
  for (const [what, headers, send, message] of SLOW) {
    it(`and ${what} is refused with 408 in its time, and leaves nothing`, async () => {
      const { status, body, connection, ms } = await upload(headers, send);
      assert.deepEqual(
        [status, body, connection],
        [408, { code: "BAD_USER_INPUT", message }, "close"],
      );
      // Which of the two ended it, it says itself.
      assert.ok(
        ms >= (message === IDLE ? TIMEOUTS.idleMs : TIMEOUTS.wholeMs) && ms < 10_000,
        `it took ${ms} ms`,
      );
      assert.deepEqual(storedFiles(folder), []);
      assert.equal((await services.database.sql`select from photos`).length, 0);
    });
  }

  it("is taken when it keeps coming, and ends in time", async () => {
    const bytes = smallPhoto();
    const { status, body } = await upload({ "content-type": "image/png" }, (client) => {
      client.write(bytes.subarray(0, 50));
      setTimeout(() => client.write(bytes.subarray(50, 100)), 250);
      setTimeout(() => client.end(bytes.subarray(100)), 500);
    });
    assert.deepEqual([status, (body as { byteSize: number }).byteSize], [201, bytes.length]);
  });
});
