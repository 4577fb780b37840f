// Tests signatures on a server that checks them, and presigned URLs; storage.test.ts tests what all
// storages have in common.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import S3rver from "@20minutes/s3rver";
import { webhookUrlExpiry } from "../../src/photos/file-urls.js";
import { createS3Storage } from "../../src/photos/s3-storage.js";
import { SlowDownloadError, type Storage } from "../../src/photos/storage.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { silentLog } from "../support/runner/silent-log.js";

describe("the S3 storage on a server that checks signatures", () => {
  const folder = temporaryFolder().path;
  let server: S3rver;
  let endpoint: string;
  let storage: Storage;
  before(async () => {
    server = new S3rver({
      address: "127.0.0.1",
      port: 0,
      silent: true,
      directory: join(folder, "server"),
      configureBuckets: [{ name: "test-bucket" }],
    });
    endpoint = `http://127.0.0.1:${(await server.run()).port}`;
    storage = await open("S3RVER");
  });
  after(() => server.close());

  const open = (secretAccessKey: string) =>
    createS3Storage({
      bucket: "test-bucket",
      prefix: "photos/eu/",
      region: "eu-west-1",
      endpoint,
      accessKeyId: "S3RVER",
      secretAccessKey,
      scratchFolder: join(folder, "scratch"),
      log: silentLog,
    });

  async function put(key: string, content: string, into = storage): Promise<void> {
    const path = join(storage.scratchFolder, "in");
    writeFileSync(path, content);
    await into.put(key, path);
  }

  it("supports all operations of a storage", async () => {
    const key = "outputs/a/b+c/ü~.webp";
    await put(key, "content");
    await put("original", "content");
    assert.equal(await storage.copy("original", "copy"), true);
    assert.equal((await storage.read("copy"))?.toString(), "content");
    const keys: string[] = [];
    for await (const entry of storage.list()) keys.push(entry.key);
    assert.deepEqual(keys.toSorted(), ["copy", "original", key]);
    await storage.delete([key, "original", "copy"]);
    assert.deepEqual(
      [
        await storage.has(key),
        await storage.localPath("copy", folder),
        await storage.copy(key, "copy"),
      ],
      [false, null, false],
    );
  });

  it("refuses every operation with a wrong secret", async () => {
    await put("kept", "content");
    const forger = await open("another");
    const refused = {
      name: "ServiceUnavailableError",
      message: "The storage is unavailable; try again in a moment.",
    };
    await assert.rejects(put("forged", "x", forger), refused);
    assert.deepEqual(readdirSync(forger.scratchFolder), ["in"], "the refused file is still there");
    for (const work of [
      () => forger.read("kept"),
      () => forger.has("kept"),
      () => forger.copy("kept", "b"),
      () => forger.delete(["kept"]),
      () => forger.localPath("kept", folder),
      () => forger.list()[Symbol.asyncIterator]().next(),
    ])
      await assert.rejects(work(), refused, String(work));
    assert.equal(await storage.has("kept"), true);
  });

  describe("that does not complete a download in time", () => {
    const DOWNLOAD_MS = 600;
    let slow: Server;
    /** Opens a storage that sends a first byte, and then one byte per interval. */
    async function openSlow(moreEachMs: number | null): Promise<Storage> {
      slow = createServer((_request, response) => {
        response.writeHead(200, { "content-length": 1_000_000 });
        response.write("a");
        const timer =
          moreEachMs === null ? undefined : setInterval(() => response.write("a"), moreEachMs);
        response.on("close", () => clearInterval(timer));
      });
      await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
      return createS3Storage({
        bucket: "b",
        prefix: "",
        region: "r",
        endpoint: `http://127.0.0.1:${(slow.address() as AddressInfo).port}`,
        accessKeyId: "a",
        secretAccessKey: "s",
        scratchFolder: join(folder, "slow"),
        downloadMs: DOWNLOAD_MS,
        log: silentLog,
      });
    }
    afterEach(() => {
      slow.closeAllConnections();
      slow.close();
    });

    it("is slow while bytes arrive", async () => {
      const storage_ = await openSlow(5);
      await assert.rejects(storage_.localPath("photo", folder), SlowDownloadError);
    });

    it("is unavailable when no more bytes arrive", async () => {
      const storage_ = await openSlow(null);
      await assert.rejects(storage_.localPath("photo", folder), {
        name: "ServiceUnavailableError",
      });
    });

    it("returns no part of a file that is read", async () => {
      const unavailable = { name: "ServiceUnavailableError" };
      await assert.rejects((await openSlow(null)).read("image"), unavailable);
      slow.close();
      slow.closeAllConnections();
      const storage_ = await openSlow(null);
      slow.on("request", (_request, response) => setTimeout(() => response.destroy(), 20));
      await assert.rejects(storage_.read("image"), unavailable);
    });
  });

  describe("presigns a URL that", () => {
    const presentation = { mimeType: "image/webp", filename: "320w.webp" };
    const presign = async (key: string, from = storage, expiresAt?: Date) =>
      new URL((await from.presign(key, presentation, expiresAt)) ?? assert.fail());

    it("returns the bytes without a token, with their type and name", async () => {
      await put("photos/ü+1", "content");
      const answer = await fetch(await presign("photos/ü+1"));
      const headers = ["content-type", "content-disposition", "cache-control"].map((name) =>
        answer.headers.get(name),
      );
      assert.deepEqual(
        [answer.status, await answer.text(), headers],
        [200, "content", ["image/webp", 'inline;filename="320w.webp"', "private,max-age=900"]],
      );
      assert.equal(
        (await fetch(await presign("photos/ü+1"), { headers: { range: "bytes=0-2" } })).status,
        206,
      );
    });

    it("returns 404 for a missing key", async () => {
      assert.equal((await fetch(await presign("not-there"))).status, 404);
    });

    it("is refused if any part was changed, or with another secret", async () => {
      await put("photos/1", "content");
      const changes: [string, string][] = [
        ["X-Amz-Expires", "604800"],
        ["X-Amz-Signature", "0".repeat(64)],
        ["response-content-type", "text/html"],
      ];
      for (const [name, value] of changes) {
        const url = await presign("photos/1");
        url.searchParams.set(name, value);
        assert.equal((await fetch(url)).status, 403, name);
      }
      const other = Object.assign(await presign("photos/1"), {
        pathname: "/test-bucket/photos/eu/kept",
      });
      assert.equal((await fetch(other)).status, 403);
      assert.equal((await fetch(await presign("photos/1", await open("another")))).status, 403);
    });

    it("is valid until the given time, as the URLs of webhooks are for a day", async () => {
      await put("photos/day", "content");
      const url = await presign("photos/day", storage, webhookUrlExpiry());
      const hours = Number(url.searchParams.get("X-Amz-Expires")) / 3600;
      assert.ok(hours >= 24 && hours < 24.3, `it lives ${hours} hours`);
      assert.equal((await fetch(url)).status, 200);
    });

    it("is valid for 60 to 75 minutes from now", async () => {
      const { searchParams } = await presign("photos/1");
      const signedAt = Date.parse(
        (searchParams.get("X-Amz-Date") ?? "").replace(
          /(....)(..)(..)T(..)(..)(..)Z/,
          "$1-$2-$3T$4:$5:$6Z",
        ),
      );
      const left = signedAt / 1000 + Number(searchParams.get("X-Amz-Expires")) - Date.now() / 1000;
      assert.ok(signedAt <= Date.now() && left > 3599 && left <= 4500, `it lives ${left} s`);
      assert.equal((signedAt / 1000) % 900, 0, "it is the same for 15 minutes");
    });
  });
});
