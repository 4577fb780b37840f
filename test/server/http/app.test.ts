import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/runner/eventually.js";
import { openRawSocket } from "../../support/clients/raw-socket.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

/** Timeouts that are short enough for a test. */
const TIMEOUTS = { headersMs: 300, bodyMs: 300, operationMs: 400, lookMs: 50 };

describe("the timeouts and limits of the HTTP server", () => {
  let service: TestService;
  let authorization: string;
  before(async () => {
    service = await startTestService({ workers: 0, timeouts: TIMEOUTS });
    authorization = `Bearer ${await service.token()}`;
  });
  after(() => service.close());

  /** Sends `head` and then single bytes. Returns the answer when the connection ends. */
  async function drip(head: string, byte = "a"): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    let answer = "";
    let ended = false;
    socket.on("data", (data) => (answer += String(data)));
    socket.on("close", () => (ended = true));
    socket.on("error", () => {});
    socket.write(head);
    const timer = setInterval(() => socket.write(byte), 50);
    await eventually("the connection is ended", () => ended);
    clearInterval(timer);
    return answer;
  }
  const post = (path: string, more = "") =>
    `POST ${path} HTTP/1.1\r\nhost: a\r\nauthorization: ` +
    `${authorization}\r\ncontent-type: application/json\r\ncontent-length: ` +
    `1000\r\n${more}\r\n{"query":"`;

  it("end a request whose headers never end", async () => {
    assert.match(
      await drip("GET /health/live HTTP/1.1\r\nhost: a\r\nx-a: "),
      /^HTTP\/1\.1 408 Request Timeout\r\n/,
    );
  });

  it("end a connection without a request", async () => {
    assert.match(await drip("", ""), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  it("end a GraphQL request with a slow body, with a GraphQL error", async () => {
    const answer = await drip(post("/graphql", "accept: application/graphql-response+json\r\n"));
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.match(answer, /\r\ncontent-type: application\/graphql-response\+json/);
    const error = {
      message: "The request arrived too slowly; send it again.",
      extensions: { code: "BAD_REQUEST" },
    };
    assert.ok(answer.includes(JSON.stringify({ errors: [error] })), answer);
  });

  it("end a slow body for an unknown path", async () => {
    assert.match(
      await drip(post("/nowhere")),
      /^HTTP\/1\.1 408 Request Timeout\r\n[^]*"code":"BAD_USER_INPUT"/,
    );
  });

  it("refuse headers of over 16 KiB", async () => {
    assert.match(
      await drip(`GET / HTTP/1.1\r\nhost: a\r\nx-a: ${"a".repeat(17 * 1024)}`),
      /^HTTP\/1\.1 431 /,
    );
  });

  it("do not affect other requests", async () => {
    const slow = Array.from({ length: 20 }, () => drip("GET / HTTP/1.1\r\nx-a: "));
    assert.equal((await fetch(`${service.url}/health/live`)).status, 200);
    await Promise.all(slow);
  });

  it("end an operation that takes too long, over HTTP and over a socket", async () => {
    const person = await service.person();
    await person.ask("{ me { id } }");
    const socket = openRawSocket(service.url);
    await socket.init(person.token);
    const query = "{ photos { totalCount } }";
    await service.database.sql.begin(async (sql) => {
      await sql`lock table photos in access exclusive mode`;
      const [answer] = await Promise.all([
        person.ask(query),
        socket.send({ type: "subscribe", id: "1", payload: { query } }),
      ]);
      const message =
        "The operation took more than 0.4 seconds; it may have been completed or not. " +
        "Try again in a moment.";
      assert.deepEqual(
        [answer.status, answer.code, answer.errors?.[0]?.message],
        [503, "SERVICE_UNAVAILABLE", message],
      );
      const { payload } = await socket.next("the answer", ({ id }) => id === "1");
      assert.deepEqual(payload, {
        errors: [{ message, extensions: { code: "SERVICE_UNAVAILABLE" } }],
      });
    });
    assert.deepEqual((await person.get(query)).photos.totalCount, 0);
    socket.close();
  });
});
