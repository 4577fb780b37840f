import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import { createPhotoClient, type JobRow } from "../../examples/browser-client.js";
import { freePort } from "../../src/embedded/ports.js";
import { NOT_ALL } from "../support/clients/browser.js";
import { launchChromium, watchPage } from "../support/clients/chromium.js";
import { eventually } from "../support/runner/eventually.js";
import { serveBundle } from "../support/clients/serve-bundle.js";
import { smallPhoto } from "../support/service/small-photo.js";
import { createTcpProxy } from "../support/stores/tcp-proxy.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

describe("the browser client", () => {
  let service: TestService;
  let port: number;
  before(async () => {
    port = await freePort();
    service = await startTestService({ env: { ALLOWED_ORIGINS: `http://127.0.0.1:${port}` } });
  });
  after(() => service?.close());

  it("keeps its list current across lost connections, and throws errors with codes", async (t) => {
    const cuttable = await createTcpProxy(service.url);
    const person = await service.person();
    const client = createPhotoClient({
      api: new URL(cuttable.url).origin,
      getToken: async () => person.token,
      webSocketImpl: WebSocket,
    });
    t.after(async () => {
      client.close();
      await cuttable.close();
    });
    let list: JobRow[] = [];
    const ids = [(await client.submit({ job: "echo" })).id];
    const stop = await client.watch((jobs) => (list = jobs));
    assert.deepEqual(
      list.map(({ id }) => id),
      ids,
    );
    await eventually("the list shows SUCCESS", () => list[0]?.status === "SUCCESS");
    for (const isExpired of [false, true]) {
      cuttable.down();
      ids.unshift((await person.finished((await person.enqueue("echo")).id)).id);
      if (isExpired) await service.database.sql`update user_streams set floor_seq = last_seq`;
      cuttable.up();
      await eventually(
        "the list has the job that ran without a connection",
        () => list[0]?.id === ids[0] && list[0]?.status === "SUCCESS",
      );
      assert.deepEqual(
        list.map(({ id, version }) => [id, version]),
        ids.map((id) => [id, 3]),
      );
    }
    stop();
    await assert.rejects(client.submit({ job: "nothing" }), { code: "BAD_USER_INPUT" });
    await assert.rejects(
      client.upload(new Blob(["not a photo"], { type: "image/jpeg" }), "ü.jpg"),
      {
        code: "PHOTO_UNREADABLE",
      },
    );
    // Chromium gives HEIC files an empty type.
    assert.equal(
      (await client.upload(new Blob([smallPhoto(9, 8)], { type: "" }), "IMG_1.HEIC")).width,
      9,
    );
  });

  it(
    "uploads, submits and watches from a page of another origin, in a browser",
    { skip: NOT_ALL, timeout: 60_000 },
    async (t) => {
      const root = mkdtempSync(join(tmpdir(), "photo-service-page-"));
      t.after(() => rmSync(root, { recursive: true, force: true }));
      writeFileSync(
        join(root, "index.html"),
        '<!doctype html><title>Page</title><link rel="icon" href="data:,"><script ' +
          'type="module" src="./main.ts"></script>',
      );
      writeFileSync(
        join(root, "main.ts"),
        "import { createPhotoClient } from " +
          `${JSON.stringify(resolve("examples/browser-client.ts"))};\nwindow.createPhotoClient ` +
          "= createPhotoClient;",
      );
      const [bundle, browser] = await Promise.all([serveBundle(port, { root }), launchChromium()]);
      t.after(() => Promise.all([browser.close(), bundle.close()]));
      const page = await browser.newPage();
      const { errors } = watchPage(page, service.url);
      await page.goto(bundle.origin);
      const seen = await page.evaluate<unknown>(`(async () => {
      const [api, token] = ${JSON.stringify([service.url, await service.token()])};
      const client = createPhotoClient({ api, getToken: async () => token });
      const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
      const context = canvas.getContext("2d");
      context.fillStyle = "teal";
      context.fillRect(0, 0, 40, 48);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      const photo = await client.upload(blob, "ü.png");
      const types = [];
      const ended = new Promise((resolve) => void client.watch(([job], event) => {
        if (event) types.push(event.type);
        if (job?.status === "SUCCESS") resolve(job);
      }));
      await client.submit({ job: "thumbnail", parameters: { widths: [32] }, photoIds: [photo.id] });
      const { outputs } = await ended;
      const file = await fetch(new URL(outputs[0].url, api));
      const picture = await createImageBitmap(await file.blob());
      return [photo.width, photo.height, types.at(-1), picture.width];
    })()`);
      assert.deepEqual([seen, errors], [[64, 48, "SUCCEEDED", 32], []]);
    },
  );
});
