// A user may have ten subscriptions for each socket that they may open, on all sockets and streams
// together.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openEventStream } from "../../../../support/clients/event-stream.js";
import { eventually } from "../../../../support/runner/eventually.js";
import { openRawSocket, type RawSocket } from "../../../../support/clients/raw-socket.js";
import type { GraphqlError, TestClient } from "../../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../../support/service/test-service.js";

const ADMIN_PASSWORD = "a-password-of-operators";
const QUERY = "subscription { queuedJobEvents { type } }";

describe("the subscriptions of a user", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: { MAX_SOCKETS_PER_USER: "2", ADMIN_PASSWORD },
    });
    person = await service.person();
  });
  after(() => service.close());

  /** Opens subscriptions on one socket, and waits until a query behind them is answered. */
  async function openAll(count: number): Promise<RawSocket> {
    const socket = openRawSocket(service.url);
    await socket.init(person.token);
    for (let i = 1; i <= count; i++)
      socket.send({ type: "subscribe", id: String(i), payload: { query: QUERY } });
    socket.send({ type: "subscribe", id: "query", payload: { query: "{ me { id } }" } });
    await socket.next("the query is answered", ({ id }) => id === "query");
    return socket;
  }

  it("are refused above the limit, and the others continue", async () => {
    const socket = await openAll(20);
    socket.send({ type: "subscribe", id: "21", payload: { query: QUERY } });
    const { type, payload } = await socket.next("one more is answered", ({ id }) => id === "21");
    const [{ message, extensions }] = payload as [GraphqlError];
    assert.deepEqual([type, extensions], ["error", { code: "QUOTA_EXCEEDED", retryAfterMs: 1000 }]);
    assert.equal(
      message,
      "A user may have at most 20 open subscriptions; retry when one of them has ended.",
    );

    const stream = await openEventStream(service.url, person.token, { query: QUERY });
    await stream.ended();
    assert.deepEqual(
      stream.results[0]?.errors?.map(({ extensions: { code } }) => code),
      ["QUOTA_EXCEEDED"],
    );

    socket.send({ type: "complete", id: "1" });
    socket.send({ type: "subscribe", id: "again", payload: { query: QUERY } });
    socket.send({ type: "subscribe", id: "later", payload: { query: "{ me { id } }" } });
    await socket.next("the query is answered", ({ id }) => id === "later");
    await person.enqueue("echo");
    for (const id of ["2", "20", "again"])
      await socket.next(
        `the event of ${id}`,
        (answer) => answer.id === id && answer.type === "next",
      );
    socket.close();
  });

  it("are refused above the limit also when all arrive at once", async () => {
    await eventually("the earlier ones are closed", async () => (await subscribersOf()) === 0);
    const socket = await openAll(25);
    await eventually(
      "five are answered",
      () =>
        socket.messages.filter(
          ({ type, id, payload }) =>
            id !== "query" &&
            (type === "error" || (type === "next" && "errors" in (payload ?? {}))),
        ).length === 5,
    );
    // Metrics are cached for a moment.
    await eventually("twenty are open", async () => (await subscribersOf()) === 20);
    socket.close();
  });

  async function subscribersOf(): Promise<number> {
    const text = await (
      await fetch(`${service.url}/metrics`, {
        headers: { authorization: `Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}` },
      })
    ).text();
    return Number(/^photos_subscribers (\d+)/m.exec(text)?.[1]);
  }
});
