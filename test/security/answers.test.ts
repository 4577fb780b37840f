// Headers of every response, and requests that are not valid HTTP.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startAttackedService, LEAKS, type AttackedService } from "./attacked-service.js";
import { head, sendRaw, type RawAnswer } from "./raw-request.js";

const DOORS: [line: string, status: number][] = [
  ["GET /", 200],
  ["GET /health/live", 200],
  ["GET /health/ready", 200],
  ["POST /graphql", 400],
  ["GET /graphql", 400],
  ["GET /graphql/schema.graphql", 404],
  ["GET /explorer/", 404],
  ["POST /photos", 401],
  ["GET /photos", 404],
  ["GET /files/photos/1/a.png", 403],
  ["GET /metrics", 404],
  ["GET /admin/queues", 404],
  ["GET /admin/db", 404],
  ["GET /.env", 404],
  ["GET /.git/config", 404],
  ["GET /package.json", 404],
  ["GET /node_modules/graphql/package.json", 404],
  ["GET /../../etc/passwd", 404],
  ["GET /%00", 404],
  ["GET /%ff%fe", 400],
  [`GET /${"a".repeat(5000)}`, 404],
  ["DELETE /", 404],
];

const NOT_QUITE_HTTP: [what: string, request: string | Buffer, statuses: number[]][] = [
  ["text that is not HTTP", "hello\r\n\r\n", [0, 400]],
  ["TLS", Buffer.from("16030100a5010000a10303", "hex"), [0, 400]],
  ["HTTP/0.9", "GET /\r\n\r\n", [0, 200, 400]],
  ["HTTP/9.9", "GET / HTTP/9.9\r\nhost: x\r\n\r\n", [0, 400, 505]],
  ["no host", "GET / HTTP/1.1\r\nconnection: close\r\n\r\n", [400]],
  ["two hosts", head("GET /", ["host: evil.test"]), [200, 400]],
  ["an unknown method", head("HACK /"), [0, 400, 404]],
  [
    "CONNECT",
    "CONNECT evil.test:443 HTTP/1.1\r\nhost: evil.test:443\r\nconnection: close\r\n\r\n",
    [0, 400, 404, 405],
  ],
  ["TRACE", head("TRACE /"), [400, 404, 405]],
  [
    "the address of another server",
    head("GET http://169.254.169.254/latest/meta-data/"),
    [400, 404],
  ],
  ["two lengths", head("POST /graphql", ["content-length: 1", "content-length: 2"]), [400]],
  [
    "a length and chunks",
    head("POST /graphql", ["content-length: 5", "transfer-encoding: chunked"]) + "0\r\n\r\n",
    [400],
  ],
  [
    "an unknown transfer encoding",
    head("POST /graphql", ["transfer-encoding: xchunked"]),
    [400, 401],
  ],
  [
    "two chunked encodings",
    head("POST /graphql", ["transfer-encoding: chunked, chunked"]) + "0\r\n\r\n",
    [400, 401],
  ],
  [
    "a chunk with an invalid length",
    head("POST /graphql", ["transfer-encoding: chunked"]) + "zz\r\n",
    [400],
  ],
  ["a negative length", head("POST /graphql", ["content-length: -1"]), [400]],
  ["a folded header", head("GET /", ["x-a: b\r\n c: d"]), [200, 400]],
  ["a header with a blank before its colon", head("GET /", ["authorization : x"]), [400]],
  ["a header without a name", head("GET /", [": x"]), [400]],
  ["a bare line end in a header", "GET / HTTP/1.1\nhost: x\nx: y\r\n\r\n", [0, 400]],
  ["64 KiB of headers", head("GET /", [`x: ${"y".repeat(65_536)}`]), [0, 431]],
  ["an address of 64 KiB", head(`GET /${"a".repeat(65_536)}`), [0, 414, 431]],
  ["an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [0, 400, 505]],
  [
    "an unknown Expect header",
    head("POST /graphql", ["expect: 200-ok", "content-length: 0"]),
    [400, 401, 417],
  ],
];

const FORGED: [what: string, headers: string[]][] = [
  [
    "claims a source address",
    ["x-forwarded-for: 127.0.0.1", "x-real-ip: 127.0.0.1", "forwarded: for=127.0.0.1"],
  ],
  [
    "claims a user",
    ["x-forwarded-user: admin", "x-user-id: 1", "x-role: ADMIN", "remote-user: admin"],
  ],
  ["asks for another method", ["x-http-method-override: DELETE", "x-method-override: PUT"]],
  ["asks for another path", ["x-original-url: /admin/db", "x-rewrite-url: /admin/db"]],
  ["claims another host", ["x-forwarded-host: evil.test", "x-forwarded-proto: javascript"]],
];

describe("a response", () => {
  let service: AttackedService;
  before(async () => {
    service = await startAttackedService({ ALLOWED_ORIGINS: "https://app.example.test" });
  });
  after(() => service.close());

  function assertHarmless({ headers, body, text }: RawAnswer): void {
    assert.equal(headers["x-content-type-options"], "nosniff", text.slice(0, 500));
    for (const name of ["x-powered-by", "server", "set-cookie"])
      assert.equal(headers[name], undefined, name);
    assert.match(headers["x-request-id"] ?? "", /^[\w.:-]{1,128}$/);
    if (headers["content-type"]?.startsWith("text/html"))
      assert.match(
        headers["content-security-policy"] ?? "",
        /default-src '(none|self)'.*frame-ancestors 'none'/,
      );
    else assert.doesNotMatch(body, LEAKS);
  }

  for (const [line, status] of DOORS) {
    it(`to ${line.slice(0, 50)} has status ${status}, safe headers and no internals`, async () => {
      const answer = await sendRaw(
        service.url,
        head(line, line.startsWith("POST") ? ["content-length: 0"] : []),
      );
      assert.equal(answer.status, status, answer.text.slice(0, 500));
      assertHarmless(answer);
    });
  }

  for (const [what, request, statuses] of NOT_QUITE_HTTP) {
    it(`to ${what} is a refusal, or there is none`, async () => {
      const answer = await sendRaw(service.url, request, 1000);
      assert.ok(statuses.includes(answer.status), answer.text.slice(0, 300));
      if (answer.status !== 200) assert.doesNotMatch(answer.body, LEAKS);
    });
  }

  for (const [what, headers] of FORGED) {
    it(`is the same to a request that ${what} in a header`, async () => {
      for (const line of ["GET /health/live", "GET /admin/queues", "POST /graphql"]) {
        const [plain, forged] = [
          await sendRaw(service.url, head(line, ["content-length: 0"])),
          await sendRaw(service.url, head(line, ["content-length: 0", ...headers])),
        ];
        assert.deepEqual([forged.status, forged.body], [plain.status, plain.body]);
      }
    });
  }

  for (const origin of [
    "https://evil.test",
    "null",
    "https://app.example.test.evil.test",
    "http://app.example.test",
  ]) {
    it(`has no CORS headers for a page of ${origin}`, async () => {
      for (const line of ["OPTIONS /graphql", "OPTIONS /photos", "GET /health/live"]) {
        const { headers } = await sendRaw(
          service.url,
          head(line, [
            `origin: ${origin}`,
            "access-control-request-method: POST",
            "access-control-request-headers: authorization",
          ]),
        );
        assert.deepEqual(
          [headers["access-control-allow-origin"], headers["access-control-allow-credentials"]],
          [undefined, undefined],
          line,
        );
      }
    });
  }

  it("contains no header from the request", async () => {
    const { headers, text } = await sendRaw(
      service.url,
      head("GET /health/live", ["x-request-id: a\tset-cookie", "x-evil: 1"]),
    );
    assert.doesNotMatch(text, /set-cookie|x-evil/);
    assert.match(headers["x-request-id"] ?? "", /^[0-9a-f-]{36}$/);
  });

  it("to the first of two pipelined requests does not mix with the second one", async () => {
    const first = head("POST /graphql", ["content-length: 0"]).replace("connection: close\r\n", "");
    const { text } = await sendRaw(service.url, first + head("GET /health/live"));
    assert.equal(text.split("HTTP/1.1 ").length - 1, 2);
    assert.match(text, /400 Bad Request[^]+BAD_REQUEST[^]+200 OK[^]+"ok"/);
  });

  it("still arrives after these attacks", () => service.assertUnharmed());
});
