import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { idOfNothing } from "../../support/asserts/broken-ids.js";
import { openEventStream } from "../../support/clients/event-stream.js";
import { eventually } from "../../support/runner/eventually.js";
import { openRawSocket, type RawSocket } from "../../support/clients/raw-socket.js";
import type { GraphqlError, TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

// An operation that times out sends nothing more to PostgreSQL, over each transport.

const OPERATION_MS = 1000;
const TOO_LATE =
  "The operation took more than 1 seconds; it may have been completed or not. " +
  "Try again in a moment.";

describe("an operation that takes too long", () => {
  let service: TestService;
  let person: TestClient;
  let socket: RawSocket;
  before(async () => {
    service = await startTestService({
      workers: 0,
      timeouts: { headersMs: 5000, bodyMs: 5000, operationMs: OPERATION_MS, lookMs: 1000 },
    });
    person = await service.person();
    // Fill the caches of rows that are read only once.
    await eventually("the caches are filled", () =>
      person.get("{ jobs { totalCount } me { id } }"),
    );
    socket = openRawSocket(service.url);
    await socket.init(person.token);
  });
  after(async () => {
    socket.close();
    await service.close();
  });

  let operations = 0;
  const TRANSPORTS: Record<string, (query: string) => Promise<GraphqlError[] | undefined>> = {
    HTTP: async (query) => (await person.ask(query)).errors,
    async "the socket"(query) {
      const id = `${++operations}`;
      socket.send({ type: "subscribe", id, payload: { query } });
      const { type, payload } = await socket.next("the answer", (message) => message.id === id);
      return type === "error"
        ? (payload as GraphqlError[])
        : (payload as { errors?: GraphqlError[] }).errors;
    },
    async "a stream"(query) {
      const stream = await openEventStream(service.url, person.token, { query });
      await stream.ended();
      return stream.results[0]?.errors;
    },
  };

  /** Counts the API's statements that wait for a lock. */
  const waiting = async () =>
    (
      await service.database
        .sql`select query from pg_stat_activity where datname = current_database()
          and application_name = 'photo-service api' and wait_event_type = 'Lock'`
    ).length;

  for (const [transport, ask] of Object.entries(TRANSPORTS)) {
    it(`is ended over ${transport}, with its statement, before a later field`, async () => {
      const mutation =
        `mutation { first: deletePhoto(id: "${idOfNothing()}") then: enqueueJob(input: { ` +
        `job: "echo" }) { id } }`;
      await service.database.sql.begin(async (sql) => {
        await sql`lock table photos in access exclusive mode`;
        const answer = ask(mutation);
        await eventually("its statement waits", async () => (await waiting()) === 1);
        const errors = await answer;
        assert.deepEqual(
          [errors?.length, errors?.[0]?.extensions.code, errors?.[0]?.message],
          [1, "SERVICE_UNAVAILABLE", TOO_LATE],
        );
        await eventually(
          "nothing waits any more, although the table is still locked",
          async () => (await waiting()) === 0,
          2000,
        );
      });
      // By then, a later field would have stored its row.
      await pause(OPERATION_MS);
      assert.deepEqual([...(await service.database.sql`select id from queued_jobs`)], []);
      await eventually(
        "the service works again",
        async () => (await ask("{ photos { totalCount } }")) === undefined,
      );
    });
  }

  it("does not cancel a shared statement", async () => {
    const api = await service.addApi();
    const ask = async (query: string) =>
      (
        await fetch(`${api.url}/graphql`, {
          method: "POST",
          headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
          body: JSON.stringify({ query }),
        })
      ).json() as Promise<{ data?: unknown; errors?: GraphqlError[] }>;
    await service.database.sql.begin(async (sql) => {
      await sql`lock table jobs, photos in access exclusive mode`;
      const answers = await Promise.all([
        ask("{ jobs { totalCount } }"),
        ask("{ photos { totalCount } }"),
      ]);
      assert.deepEqual(
        answers.map(({ errors }) => errors?.[0]?.message),
        [TOO_LATE, TOO_LATE],
      );
      await eventually("its own statement is cancelled", async () => (await waiting()) === 1);
      await pause(OPERATION_MS / 2);
      assert.equal(await waiting(), 1);
    });
    await eventually(
      "the shared statement is answered",
      async () => (await ask("{ jobs { totalCount } }")).data !== undefined,
    );
  });
});
