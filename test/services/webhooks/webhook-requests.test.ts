// A hostile receiver: redirects, slow and endless bodies, hanging sockets, wrong certificates.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createSocketServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  createWebhookRequests,
  parseRetryAfter,
} from "../../../src/services/webhooks/webhook-requests.js";
import { temporaryFolder } from "../../imaging/temporary-folder.js";

const signal = new AbortController().signal;
const sendTo = (url: string, timeoutMs = 5000) =>
  createWebhookRequests({ url, userAgent: "test", timeoutMs }).send(
    "{}",
    { "webhook-id": "a" },
    signal,
  );

describe("a request to the receiver", () => {
  let server: Server;
  let url: string;
  let requests = 0;
  let answer: (response: ServerResponse) => void;
  before(async () => {
    server = createServer((request, response) => {
      requests++;
      request.resume().on("end", () => answer(response));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  for (const [status, failure] of [
    [200, null],
    [204, null],
    [299, null],
    [304, "http_3xx"],
    [400, "http_4xx"],
    [401, "http_4xx"],
    [410, "gone"],
    [429, "throttled"],
    [500, "http_5xx"],
    [503, "http_5xx"],
  ] as const)
    it(`takes ${status} as ${failure ?? "delivered"}`, async () => {
      answer = (response) => void response.writeHead(status).end();
      assert.deepEqual(await sendTo(url), { failure, status, body: "", retryAfterMs: null });
    });

  it("follows no redirect, also none to another scheme", async () => {
    for (const location of [url, "file:///etc/passwd", "http://169.254.169.254/"]) {
      requests = 0;
      answer = (response) => void response.writeHead(307, { location }).end("moved");
      const { failure, status, body } = await sendTo(url);
      assert.deepEqual([failure, status, body, requests], ["http_3xx", 307, "moved", 1]);
    }
  });

  it("keeps the time that a 429 or a 503 asks for, at most an hour", async () => {
    for (const status of [429, 503]) {
      answer = (response) => void response.writeHead(status, { "retry-after": "7" }).end();
      assert.equal((await sendTo(url)).retryAfterMs, 7000);
    }
    const now = Date.parse("2026-11-30T10:00:00Z");
    assert.equal(parseRetryAfter("Mon, 30 Nov 2026 10:00:09 GMT", now), 9000);
    assert.equal(parseRetryAfter("Mon, 30 Nov 2026 09:00:00 GMT", now), 0);
    assert.equal(parseRetryAfter("9999999999", now), 3_600_000);
    for (const text of ["soon", "-1", "", null]) assert.ok(!(parseRetryAfter(text, now) ?? 0));
  });

  it("decides by the status while the body is slow, endless, or breaks off", async () => {
    answer = (response) => void response.writeHead(200).write("a");
    const startedAt = performance.now();
    assert.deepEqual(await sendTo(url, 5000), {
      failure: null,
      status: 200,
      body: "a",
      retryAfterMs: null,
    });
    assert.ok(performance.now() - startedAt < 3000);

    let written = 0;
    answer = (response) => {
      response.writeHead(500);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, "x"))) written += 65_536;
      };
      response.on("drain", more);
      more();
    };
    const endless = await sendTo(url, 5000);
    assert.deepEqual([endless.failure, endless.body], ["http_5xx", "x".repeat(1000)]);
    assert.ok(written < 50 * 1024 * 1024, `${written} bytes`);

    answer = (response) => {
      response.writeHead(204 + 2, { "content-length": "100" });
      response.write("half", () => response.destroy());
    };
    assert.deepEqual((await sendTo(url)).failure, null);
  });

  it("keeps a body that PostgreSQL can store", async () => {
    answer = (response) => void response.writeHead(500).end(Buffer.from([0, 0xff, 0x61]));
    assert.equal((await sendTo(url)).body, "��a");
  });

  it("ends after the time limit when the receiver hangs before or after its headers", async () => {
    answer = () => {};
    const hanging = await sendTo(url, 200);
    assert.deepEqual([hanging.failure, hanging.status], ["timeout", null]);
    answer = (response) => void response.socket?.write("HTTP/1.1 200 OK\r\nx-slow: ");
    assert.equal((await sendTo(url, 200)).failure, "timeout");
  });

  it("reuses connections, also after failures", async () => {
    const ports = new Set<number | undefined>();
    answer = (response) => {
      ports.add(response.socket?.remotePort);
      response.writeHead(ports.size > 5 ? 204 : 500).end("text");
    };
    for (let i = 0; i < 10; i++) await sendTo(url);
    assert.ok(ports.size <= 4, `${ports.size} connections`);
  });

  it("is interrupted by its signal", async () => {
    answer = () => {};
    const controller = new AbortController();
    const request = createWebhookRequests({ url, userAgent: "test" });
    const sent = request.send("{}", {}, controller.signal);
    controller.abort(new Error("closing"));
    await assert.rejects(sent, /closing/);
  });
});

describe("a request to a receiver that cannot be reached", () => {
  const folder = temporaryFolder().path;

  it("names an unknown host, a refused connection, and a closed socket", async () => {
    assert.equal((await sendTo("http://receiver.invalid/", 5000)).failure, "dns");
    assert.equal((await sendTo("http://127.0.0.1:1/")).failure, "connection");
    const rude = createSocketServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(rude, "listening");
    const { port } = rude.address() as AddressInfo;
    assert.equal((await sendTo(`http://127.0.0.1:${port}/`)).failure, "connection");
    assert.equal((await sendTo(`https://127.0.0.1:${port}/`)).failure, "connection");
    rude.close();
  });

  it("refuses a self-signed certificate, and plain HTTP in the place of TLS", async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject],
      { stdio: "ignore" },
    );
    let requests = 0;
    const secure = createSecureServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (_request, response) => {
        requests++;
        response.end();
      },
    ).listen(0, "127.0.0.1");
    await once(secure, "listening");
    const { port } = secure.address() as AddressInfo;
    const { failure, body } = await sendTo(`https://127.0.0.1:${port}/`, 5000);
    assert.deepEqual([failure, body, requests], ["tls", "DEPTH_ZERO_SELF_SIGNED_CERT", 0]);
    secure.closeAllConnections();
    secure.close();

    const plain = createServer((_request, response) => response.end()).listen(0, "127.0.0.1");
    await once(plain, "listening");
    const wrong = `https://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
    assert.equal((await sendTo(wrong, 5000)).failure, "tls");
    plain.closeAllConnections();
    plain.close();
  });
});
