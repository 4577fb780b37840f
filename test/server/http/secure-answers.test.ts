import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const PATHS = [
  "/",
  "/nowhere",
  "/graphql",
  "/photos",
  "/files/photos/1/a",
  "/health/live",
  "/health/ready",
];
const STRICTEST = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

describe("the security headers", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ workers: 0 });
  });
  after(() => service.close());

  it("are on every answer, and no header names the software", async () => {
    for (const path of PATHS) {
      for (const method of ["GET", "POST"]) {
        const { headers } = await fetch(service.url + path, { method });
        assert.equal(headers.get("x-content-type-options"), "nosniff", path);
        assert.equal(headers.get("referrer-policy"), "no-referrer", path);
        assert.match(
          headers.get("content-security-policy") ?? "",
          /default-src '(none|self)'.*frame-ancestors 'none'/,
          `${method} ${path}`,
        );
        assert.match(headers.get("x-frame-options") ?? "", /^SAMEORIGIN$/, path);
        for (const name of ["x-powered-by", "server", "strict-transport-security"])
          assert.equal(headers.get(name), null, `${name} of ${path}`);
      }
    }
  });

  it("contain the strictest policy when a route sets no other", async () => {
    for (const path of ["/nowhere", "/graphql", "/health/live"])
      assert.equal(
        (await fetch(service.url + path)).headers.get("content-security-policy"),
        STRICTEST,
        path,
      );
  });

  it("require HTTPS from browsers when the public URL is HTTPS", async () => {
    const secure = await startTestService({
      workers: 0,
      env: { PUBLIC_URL: "https://photos.example.test" },
    });
    const { headers } = await fetch(`${secure.url}/health/live`);
    await secure.close();
    assert.equal(headers.get("strict-transport-security"), "max-age=31536000");
  });
});

describe("an invalid Host header", () => {
  it("is answered with 200 or 400, without an error in the log", async () => {
    const service = await startTestService({ workers: 0 });
    for (const host of ["[", "a b", "a:b:c", "%", "\u00e9"]) {
      const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
      let answer = "";
      socket.on("data", (data) => (answer += String(data)));
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ` +
          `${await service.token()}\r\ncontent-type: application/json\r\nconnection: ` +
          `close\r\ncontent-length: 25\r\n\r\n{"query":"{ me { id } }"}`,
      );
      await once(socket, "close");
      assert.match(answer, /^HTTP\/1\.1 (200|400) /, `${host}: ${answer.slice(0, 300)}`);
    }
    const failures = service.logged.filter(({ level }) => level === "error" || level === 50);
    await service.close();
    assert.deepEqual(failures, []);
  });
});
