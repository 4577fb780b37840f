// On a server that checks signatures, and of presigned URLs; what each storage keeps to stands in
// storage.test.ts.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import S3rver from "@20minutes/s3rver";
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

  it("does all that a storage does", async () => {
    const key = "outputs/a/b+c/ü~.webp";
    await put(key, "content");
    await put("original", "content");
    assert.equal(await storage.copy("original", "copy"), true);
    assert.equal(
      Buffer.concat(
        (await (
          (await storage.read("copy", { start: 1, end: 3 })) ?? assert.fail()
        ).toArray()) as Buffer[],
      ).toString(),
      "ont",
    );
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

  it("with another secret does nothing", async () => {
    await put("kept", "content");
    const forger = await open("another");
    const refused = {
      name: "ServiceUnavailableError",
      message: "The storage is away; try again in a moment.",
    };
    await assert.rejects(put("forged", "x", forger), refused);
    assert.deepEqual(
      readdirSync(forger.scratchFolder),
      ["in"],
      "what was not taken is still there",
    );
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

  describe("that does not send a file whole in its time", () => {
    const DOWNLOAD_MS = 600;
    let slow: Server;
    /** Sends a first byte, then as many more as there are. */
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

    it("is slow while bytes come", async () => {
      const storage_ = await openSlow(5);
      await assert.rejects(storage_.localPath("photo", folder), SlowDownloadError);
    });

    it("is away when none come any more", async () => {
      const storage_ = await openSlow(null);
      await assert.rejects(storage_.localPath("photo", folder), {
        name: "ServiceUnavailableError",
      });
    });
  });

  describe("presigns a URL that", () => {
    const presentation = { mimeType: "image/webp", filename: "320w.webp" };
    const presign = async (key: string, from = storage) =>
      new URL((await from.presign(key, presentation)) ?? assert.fail());

    it("gives anybody the bytes, as what they are and under their name", async () => {
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

    it("leads to nothing once it was deleted", async () => {
      assert.equal((await fetch(await presign("not-there"))).status, 404);
    });

    it("is refused with anything about it changed, and by another secret", async () => {
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

    it("lives an hour to an hour and a quarter from now", async () => {
      const { searchParams } = await presign("photos/1");
      const begun = Date.parse(
        (searchParams.get("X-Amz-Date") ?? "").replace(
          /(....)(..)(..)T(..)(..)(..)Z/,
          "$1-$2-$3T$4:$5:$6Z",
        ),
      );
      const left = begun / 1000 + Number(searchParams.get("X-Amz-Expires")) - Date.now() / 1000;
      assert.ok(begun <= Date.now() && left > 3599 && left <= 4500, `it lives ${left} s`);
      assert.equal((begun / 1000) % 900, 0, "it is the same for a quarter of an hour");
    });
  });
});
