import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, it } from "node:test";
import { text } from "node:stream/consumers";
import { createLoggerTo } from "../../src/runtime/logger.js";
import { createS3Bucket, type S3Bucket, type S3BucketOptions } from "../../src/photos/s3-bucket.js";

const AWAY = {
  name: "ServiceUnavailableError",
  code: "SERVICE_UNAVAILABLE",
  message: "The storage is unavailable; try again in a moment.",
};

describe("a bucket of S3", () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
    for (const server of servers) server.closeAllConnections();
  });

  const lines: Record<string, unknown>[] = [];
  const log = createLoggerTo({
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const open = (endpoint: string | null, more: Partial<S3BucketOptions> = {}): S3Bucket =>
    createS3Bucket({
      bucket: "b",
      region: "eu-west-1",
      endpoint,
      accessKeyId: "id",
      secretAccessKey: "hunter2",
      log,
      ...more,
    });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Returns the level and message of the lines logged by `work`. */
  async function loggedBy(work: () => Promise<unknown>): Promise<unknown[][]> {
    lines.length = 0;
    await work();
    assert.ok(!JSON.stringify(lines).includes("hunter2"));
    return lines.map(({ level, msg }) => [level, msg]);
  }

  it("is retried after server errors, with the whole body each time", async () => {
    const bodies: string[] = [];
    const endpoint = await serve(async (request, response) => {
      bodies.push(await text(request));
      response.writeHead([500, 429, 200][bodies.length - 1] ?? 500).end("done");
    });
    assert.equal(
      await open(endpoint).ask({ method: "PUT", key: "k", body: new Blob(["abc"]) }),
      "done",
    );
    assert.deepEqual(bodies, ["abc", "abc", "abc"]);
  });

  it("is retried after a dropped connection", async () => {
    let requests = 0;
    const endpoint = await serve(
      (request, response) =>
        void (requests++ === 0 ? request.socket.destroy() : response.end("there")),
    );
    assert.equal(await open(endpoint).ask({ method: "GET", key: "k" }), "there");
  });

  it("is unavailable after three server errors, with a warning only", async () => {
    let requests = 0;
    const endpoint = await serve(
      (_request, response) =>
        void (requests++, response.writeHead(503).end("<Error><Code>SlowDown</Code></Error>")),
    );
    assert.deepEqual(
      await loggedBy(() => assert.rejects(open(endpoint).ask({ method: "GET", key: "k" }), AWAY)),
      [[40, "the storage is unavailable"]],
    );
    assert.equal(requests, 3);
  });

  it("is unavailable if no server listens", async () => {
    const endpoint = await serve(() => {});
    const last = servers.at(-1);
    await new Promise((resolve) => last?.close(resolve));
    assert.deepEqual(
      await loggedBy(() => assert.rejects(open(endpoint).ask({ method: "GET", key: "k" }), AWAY)),
      [[40, "the storage is unavailable"]],
    );
  });

  const HANGS: [string, RequestListener][] = [
    ["does not answer", () => {}],
    ["answers half", (_request, response) => void response.writeHead(200).write("half")],
  ];
  for (const [what, listener] of HANGS) {
    it(`is unavailable without a retry if its server ${what}`, async () => {
      let requests = 0;
      const endpoint = await serve(
        (request, response) => void (requests++, listener(request, response)),
      );
      await assert.rejects(
        open(endpoint, { timeoutMs: 1000 }).ask({ method: "GET", key: "k" }),
        AWAY,
      );
      assert.equal(requests, 1);
    });
  }

  it("limits the wait for the headers of a stream", async () => {
    await assert.rejects(
      open(await serve(() => {}), { timeoutMs: 200 }).open({ method: "GET", key: "k" }),
      AWAY,
    );
  });

  const REFUSALS: [number, string][] = [
    [403, "InvalidAccessKeyId"],
    [403, "SignatureDoesNotMatch"],
    [404, "NoSuchBucket"],
    [400, "AuthorizationHeaderMalformed"],
  ];
  for (const [status, code] of REFUSALS) {
    it(`that refuses with ${code} is unavailable, and logs an error at once`, async () => {
      let requests = 0;
      const endpoint = await serve(
        (_request, response) =>
          void (requests++, response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`)),
      );
      assert.deepEqual(
        await loggedBy(() => assert.rejects(open(endpoint).ask({ method: "GET", key: "k" }), AWAY)),
        [[50, "the storage refused a request"]],
      );
      assert.match(JSON.stringify(lines[0]?.["err"]), new RegExp(`${status} ${code}`));
      assert.equal(requests, 1);
    });
  }

  describe("is addressed", () => {
    const CASES: [string, Partial<S3BucketOptions>, string][] = [
      [
        "at Amazon's by its host",
        { bucket: "photos-eu" },
        "https://photos-eu.s3.eu-west-1.amazonaws.com/a/b",
      ],
      [
        "at Amazon's by its path, with a dot in its name",
        { bucket: "photos.example" },
        "https://s3.eu-west-1.amazonaws.com/photos.example/a/b",
      ],
      [
        "at another server by its path",
        { endpoint: "http://minio.test:9000/" },
        "http://minio.test:9000/b/a/b",
      ],
    ];
    for (const [what, options, expected] of CASES) {
      it(what, async () => {
        const { origin, pathname } = new URL(
          await open(null, options).presign("a/b", {}, { at: new Date(), seconds: 60 }),
        );
        assert.equal(origin + pathname, expected);
      });
    }
  });
});
