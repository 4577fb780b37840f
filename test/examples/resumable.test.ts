import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createClient, type Client } from "graphql-ws";
import { WebSocket } from "ws";
import { resumable } from "../../examples/resumable.js";
import { eventually } from "../support/runner/eventually.js";
import { seededRandom } from "../support/runner/seeded-random.js";
import type { TestClient } from "../support/clients/test-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

interface ReceivedEvent {
  cursor: string;
  type: string;
  queuedJob: { id: string; version: number };
}

/** The field has an alias, because the client must find the cursor under any name. */
const FEED =
  "subscription ($after: String) { happening: queuedJobEvents(after: $after, " +
  "includeProgress: false) { cursor type queuedJob { id version } } }";

describe("the resumable client", () => {
  let service: TestService;
  let urls: string[];
  before(async () => {
    service = await startTestService();
    urls = [service.url, (await service.addApi()).url];
  });
  after(() => service.close());

  /** A stock client whose sockets can be killed, and which alternates between the two APIs. */
  function open(person: TestClient): { client: Client; killSockets(): void; opened(): number } {
    const sockets: WebSocket[] = [];
    class KillableSocket extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        sockets.push(this);
      }
    }
    const client = createClient({
      url: () => `${urls[sockets.length % urls.length]?.replace(/^http/, "ws")}/graphql`,
      webSocketImpl: KillableSocket,
      connectionParams: () => ({ authorization: `Bearer ${person.token}` }),
      retryAttempts: Infinity,
      retryWait: () => pause(5),
      shouldRetry: () => true,
    });
    return {
      client,
      killSockets: () => sockets.forEach((socket) => socket.terminate()),
      opened: () => sockets.length,
    };
  }

  /** Returns the events of 51 jobs that a disturbed client received. */
  async function follow(
    client: Client,
    person: TestClient,
    disturb: () => Promise<void>,
  ): Promise<ReceivedEvent[]> {
    const events: ReceivedEvent[] = [];
    const sent = { query: FEED, variables: { after: await person.cursor() } };
    const original = structuredClone(sent);
    const stop = client.subscribe<{ happening: ReceivedEvent }>(sent, {
      next: ({ data }) => void (data && events.push(data.happening)),
      error: (error) => assert.fail(String(error)),
      complete: () => {},
    });
    const inputs = Array.from({ length: 10 }, () => ({
      job: "echo",
      parameters: { durationMs: 20 },
    }));
    for (let i = 0; i < 5; i++) {
      await person.get(
        "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }",
        { inputs },
      );
      for (let k = 0; k < 4; k++) await disturb();
    }
    // One more job, undisturbed. When it ends, the client is connected and can be stopped. Stopping
    // while it connects makes the library throw outside of any caller.
    await person.enqueue("echo");
    await eventually(
      "all have succeeded",
      () =>
        new Set(
          events.filter(({ type }) => type === "SUCCEEDED").map(({ queuedJob }) => queuedJob.id),
        ).size === 51,
    );
    stop();
    await client.dispose();
    assert.deepEqual(sent, original, "the caller's payload is not changed");
    return events;
  }

  it("delivers every event exactly once and in order while its sockets are killed", async () => {
    const random = seededRandom();
    const person = await service.person();
    const { client, killSockets, opened } = open(person);
    const events = await follow(resumable(client), person, async () => {
      await pause(random.below(40));
      killSockets();
    });
    assert.ok(opened() > 10, `${opened()} sockets`);
    const { me } = (await person.get("{ me { id } }")) as { me: { id: string } };
    const log = await service.database.sql<
      { id: string; type: string }[]
    >`select queued_job_id as id, type from queued_job_events where user_id = ${me.id}
      order by seq`;
    assert.deepEqual(
      events.map(({ type, queuedJob }) => `${queuedJob.id} ${type}`),
      log.map(({ id, type }) => `${id} ${type}`),
      `seed ${random.seed}`,
    );
  });

  it("is needed, because a stock client receives old events again after a reconnect", async () => {
    const person = await service.person();
    const { client, killSockets } = open(person);
    const cursors: string[] = [];
    const stop = client.subscribe<{ happening: ReceivedEvent }>(
      { query: FEED, variables: { after: await person.cursor() } },
      {
        next: ({ data }) => void cursors.push(data?.happening.cursor ?? ""),
        error: (error) => assert.fail(String(error)),
        complete: () => {},
      },
    );
    await person.enqueue("echo");
    await eventually("three events have arrived", () => cursors.length === 3);
    killSockets();
    await eventually("the three events have arrived again", () => cursors.length === 6);
    stop();
    await client.dispose();
    assert.deepEqual(cursors.slice(3), cursors.slice(0, 3));
  });

  it("passes operations without variables, without a cursor or with an error", async () => {
    const person = await service.person();
    const { client } = open(person);
    const ask = (query: string) =>
      new Promise<{ data: unknown; errors: string[] }>((resolve, reject) => {
        const results: { data: unknown; errors: string[] }[] = [];
        resumable(client).subscribe(
          { query },
          {
            next: ({ data, errors = [] }) =>
              void results.push({ data, errors: errors.map(({ message }) => message) }),
            error: reject,
            complete: () => resolve(results[0] ?? { data: null, errors: [] }),
          },
        );
      });
    assert.deepEqual(await ask("{ __typename }"), { data: { __typename: "Query" }, errors: [] });
    assert.deepEqual(
      (await ask('subscription { queuedJobEvents(after: "nonsense") { type } }')).errors,
      ["after: is not one of your cursors; pass a cursor from an earlier response or event"],
    );
    await client.dispose();
  });
});
