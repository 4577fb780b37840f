import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { eventually } from "../../support/runner/eventually.js";
import { openRawSocket } from "../../support/clients/raw-socket.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

/** Bounds that a test can wait for. */
const TIMEOUTS = { headersMs: 300, bodyMs: 300, operationMs: 400, lookMs: 50 };

describe("the patience of the HTTP server", () => {
  let service: TestService;
  let authorization: string;
  before(async () => {
    service = await startTestService({ workers: 0, timeouts: TIMEOUTS });
    authorization = `Bearer ${await service.token()}`;
  });
  after(() => service.close());

  /**
   * What comes back to a peer that sends this, then a byte now and then, until the connection is
   * ended.
   */
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

  it("ends for headers that never end", async () => {
    assert.match(
      await drip("GET /health/live HTTP/1.1\r\nhost: a\r\nx-a: "),
      /^HTTP\/1\.1 408 Request Timeout\r\n/,
    );
  });

  it("ends for a connection on which nothing is asked", async () => {
    assert.match(await drip("", ""), /^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  it("ends for the body of a GraphQL request that drips, with an answer that is GraphQL", async () => {
    const answer = await drip(post("/graphql", "accept: application/graphql-response+json\r\n"));
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.match(answer, /\r\ncontent-type: application\/graphql-response\+json/);
    const error = { message: "The request came too slowly.", extensions: { code: "BAD_REQUEST" } };
    assert.ok(answer.includes(JSON.stringify({ errors: [error] })), answer);
  });

  it("ends for a body where nothing is", async () => {
    assert.match(
      await drip(post("/nowhere")),
      /^HTTP\/1\.1 408 Request Timeout\r\n[^]*"code":"BAD_USER_INPUT"/,
    );
  });

  it("ends for headers of over 16 KiB", async () => {
    assert.match(
      await drip(`GET / HTTP/1.1\r\nhost: a\r\nx-a: ${"a".repeat(17 * 1024)}`),
      /^HTTP\/1\.1 431 /,
    );
  });

  it("serves others meanwhile", async () => {
    const slow = Array.from({ length: 20 }, () => drip("GET / HTTP/1.1\r\nx-a: "));
    assert.equal((await fetch(`${service.url}/health/live`)).status, 200);
    await Promise.all(slow);
  });

  it(
    "ends for an operation that takes too long, over HTTP and over a socket, and the " +
      "process goes on",
    async () => {
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
          "It took more than 0.4 seconds; whether it was done is unknown. Try again in a moment.";
        assert.deepEqual(
          [answer.status, answer.code, answer.errors?.[0]?.message],
          [503, "SERVICE_UNAVAILABLE", message],
        );
        const { payload } = await socket.next("it is answered", ({ id }) => id === "1");
        assert.deepEqual(payload, {
          errors: [{ message, extensions: { code: "SERVICE_UNAVAILABLE" } }],
        });
      });
      assert.deepEqual((await person.get(query)).photos.totalCount, 0);
      socket.close();
    },
  );
});
