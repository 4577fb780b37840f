import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import S3rver from "@20minutes/s3rver";
import { createS3Storage } from "../../src/photos/s3-storage.js";
import type { Storage } from "../../src/photos/storage.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { silentLog } from "../support/runner/silent-log.js";

const PART_BYTES = 300_000;
const folder = temporaryFolder().path;

const open = (endpoint: string, timeoutMs = 10_000): Promise<Storage> =>
  createS3Storage({
    bucket: "test-bucket",
    prefix: "eu/",
    region: "eu-west-1",
    endpoint,
    accessKeyId: "S3RVER",
    secretAccessKey: "S3RVER",
    scratchFolder: join(folder, randomUUID()),
    partBytes: PART_BYTES,
    timeoutMs,
    log: silentLog,
  });

function scratch(storage: Storage, content: Buffer): string {
  const path = join(storage.scratchFolder, "photos.zip");
  writeFileSync(path, content);
  return path;
}

describe("a large file", () => {
  const servers: Server[] = [];
  after(() => Promise.all(servers.map((server) => server.close())));

  /** Serves uploads in parts; `answer` may answer a request instead. It returns the requests. */
  async function serve(
    answer: (request: string) => RequestListener | undefined,
    timeoutMs?: number,
  ) {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      const { search } = new URL(request.url ?? "", "http://storage");
      const asked = `${request.method} ${search.slice(1).replace(/&?uploadId=u1/, "#")}`;
      requests.push(asked);
      request.resume().on("end", () => {
        const other = answer(asked);
        if (other) return other(request, response);
        response.setHeader("etag", '"tag"');
        response.end(asked === "POST uploads=" ? "<a><UploadId>u1</UploadId></a>" : "");
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const storage = await open(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      timeoutMs,
    );
    const path = scratch(storage, Buffer.alloc(2.5 * PART_BYTES));
    return { storage, path, requests };
  }

  it("is stored in parts, signed, and is then one file", async () => {
    const server = new S3rver({
      address: "127.0.0.1",
      port: 0,
      silent: true,
      directory: join(folder, "server"),
      configureBuckets: [{ name: "test-bucket" }],
    });
    const storage = await open(`http://127.0.0.1:${(await server.run()).port}`);
    try {
      for (const size of [PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES]) {
        const [content, key] = [randomBytes(size), `outputs/ü/${size}.zip`];
        const path = scratch(storage, content);
        await storage.put(key, path);
        const stored = (await storage.read(key)) ?? assert.fail("not stored");
        assert.ok(stored.equals(content), String(size));
        assert.equal(existsSync(path), false);
      }
    } finally {
      await server.close();
    }
  });

  it("is given up before the next part when its signal is aborted, without a trace", async () => {
    const stop = new AbortController();
    const { storage, path, requests } = await serve((asked) => {
      if (asked.startsWith("PUT")) stop.abort(new Error("cancelled"));
      return undefined;
    });
    await assert.rejects(storage.put("k", path, stop.signal), { message: "cancelled" });
    assert.deepEqual(requests, ["POST uploads=", "PUT partNumber=1#", "DELETE #"]);
    assert.equal(existsSync(path), true);
  });

  it("is refused without a trace when a part is refused or the end fails with 200", async () => {
    const refusals: [string, RequestListener][] = [
      ["PUT partNumber=2#", (_request, response) => void response.writeHead(403).end()],
      ["POST #", (_request, response) => void response.end("<Error><Code>InternalError</Code>")],
      ["POST #", (_request, response) => void response.writeHead(404).end()],
      ["PUT partNumber=1#", (_request, response) => void response.end("without an ETag")],
    ];
    for (const [which, listener] of refusals) {
      const { storage, path, requests } = await serve((asked) => {
        if (asked === "HEAD ") return (_request, response) => void response.writeHead(404).end();
        return asked === which ? listener : undefined;
      });
      await assert.rejects(
        storage.put("k", path),
        { name: "ServiceUnavailableError", message: /The storage is unavailable/ },
        which,
      );
      assert.equal(requests.at(-1), "DELETE #", which);
      assert.equal(existsSync(path), true);
    }
  });

  it("is stored although its server takes long to put the parts together", async () => {
    const timeoutMs = 1000;
    const late: RequestListener = (_request, response) =>
      void setTimeout(() => response.end(), 2 * timeoutMs);
    const { storage, path, requests } = await serve(
      (asked) => (asked === "POST #" ? late : undefined),
      timeoutMs,
    );
    await storage.put("k", path);
    assert.equal(requests.at(-1), "POST #");
  });

  it("is stored when only the answer to its last request was lost", async () => {
    let tries = 0;
    const { storage, path, requests } = await serve((asked) => {
      if (asked !== "POST #") return undefined;
      return ++tries === 1
        ? (request) => void request.socket.destroy()
        : (_request, response) => void response.writeHead(404).end();
    });
    await storage.put("k", path);
    assert.deepEqual(requests.slice(-3), ["POST #", "POST #", "HEAD "]);
  });
});
