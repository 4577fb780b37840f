// The service's promise about streams, over the network, with two APIs: a client that resumes with
// its last cursor misses no event and receives none twice.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { createClient, type Client } from "graphql-ws";
import { Redis } from "ioredis";
import { WebSocket } from "ws";
import { eventually } from "../support/runner/eventually.js";
import { RUNS_LONG } from "../support/runner/long.js";
import { seededRandom, type SeededRandom } from "../support/runner/seeded-random.js";
import type { EventFields, Stream, TestClient } from "../support/clients/test-client.js";
import { startTestService, type TestService } from "../support/service/test-service.js";

const SUBMIT = "mutation ($inputs: [EnqueueJobInput!]!) { enqueueJobs(inputs: $inputs) { id } }";
const PAGE = "{ queuedJobs(first: 100) { nodes { id version } eventCursor } }";
const FEED =
  "subscription ($after: String) { queuedJobEvents(after: $after, includeProgress: " +
  "false) { type queuedJob { id version } } }";
const ENOUGH = 30;
const [CUTS, JOBS, ROUNDS] = RUNS_LONG ? [50, 200, 4] : [20, 80, 1];
/** Tries per round. */
const TRIES = 50;
/** A text that identifies an event. */
const mark = ({
  type,
  queuedJob,
}: Pick<EventFields, "type"> & { queuedJob: { id: string; version: number } }) =>
  `${queuedJob.id} ${queuedJob.version} ${type}`;

describe("resuming", () => {
  let service: TestService;
  let urls: string[];
  const opened: Client[] = [];
  before(async () => {
    service = await startTestService();
    urls = [service.url, (await service.addApi()).url];
  });
  after(async () => {
    for (const client of opened) await client.dispose();
    await service.close();
  });

  /** Submits `count` jobs in batches; some fail once, and some are cancelled. */
  async function submit(person: TestClient, count: number, random: SeededRandom): Promise<void> {
    for (let left = count; left > 0;) {
      const size = Math.min(left, 1 + random.below(10));
      left -= size;
      const inputs = Array.from({ length: size }, () => ({
        job: "echo",
        parameters: { durationMs: random.below(40), failAttempts: random.below(20) === 0 ? 1 : 0 },
      }));
      const { enqueueJobs } = (await person.get(SUBMIT, { inputs })) as {
        enqueueJobs: { id: string }[];
      };
      if (random.below(4) === 0)
        await person.ask("mutation ($id: ID!) { cancelQueuedJob(id: $id) { id } }", {
          id: enqueueJobs[0]?.id,
        });
      await pause(random.below(30));
    }
  }

  async function logOf(person: TestClient): Promise<string[]> {
    const me = (await person.get("{ me { id } }")) as { me: { id: string } };
    const rows = await service.database.sql<{ type: string; id: string; version: number }[]>`
      select type, queued_job_id as id, (snapshot->>'version')::int as version
        from queued_job_events where user_id = ${me.me.id} order by seq`;
    return rows.map(({ type, id, version }) => mark({ type, queuedJob: { id, version } }));
  }

  const allFinished = (person: TestClient) =>
    eventually(
      "all have finished",
      async () => (await person.get("{ me { limits { unfinished } } }")).me.limits.unfinished === 0,
      20_000,
    );

  it(`a subscriber cut ${CUTS} times gets all events of ${JOBS} jobs once, in order`, async () => {
    const random = seededRandom();
    const person = await service.person();
    const received: EventFields[] = [];
    let cursor = await person.cursor();
    let cuts = 0;
    const submitted = submit(person, JOBS, random);

    async function listenAWhile(until: (stream: Stream) => Promise<unknown>): Promise<void> {
      const stream = person.events({ after: cursor, url: urls[random.below(urls.length)] ?? "" });
      await until(stream);
      // Events that arrive after this line count as not received.
      received.push(...stream.events);
      cursor = stream.events.at(-1)?.cursor ?? cursor;
      assert.equal(stream.end, null);
      stream.cut();
    }

    while (cuts < CUTS) {
      // The cut comes after a random time or a random number of events: before the socket is
      // open, during a replay, or between two notifications.
      const events = random.below(6);
      await listenAWhile((stream) =>
        random.below(2) === 0
          ? pause(random.below(60))
          : eventually("some events", () => stream.events.length >= events, 2000).catch(() => {}),
      );
      cuts++;
    }
    await submitted;
    await allFinished(person);
    const log = await logOf(person);
    await listenAWhile((stream) =>
      eventually("the rest", () =>
        received.concat(stream.events).some((event) => mark(event) === log.at(-1)),
      ),
    );
    assert.deepEqual(
      received.filter(({ type }) => type !== "PROGRESS").map(mark),
      log,
      `seed ${random.seed}`,
    );
    for (const id of new Set(log.map((text) => text.split(" ")[0]))) {
      const versions = log
        .filter((text) => text.startsWith(id ?? ""))
        .map((text) => Number(text.split(" ")[1]));
      assert.deepEqual(
        versions,
        versions.map((_, i) => i + 1),
        `the versions of ${id}; seed ${random.seed}`,
      );
    }
  });

  /** Collects up to `ENOUGH` events after a cursor. Many calls share one socket. */
  function listen(client: Client, cursor: string): { events: string[]; fault: unknown } {
    const received: { events: string[]; fault: unknown } = { events: [], fault: null };
    const stop = client.subscribe<{ queuedJobEvents: Pick<EventFields, "type" | "queuedJob"> }>(
      { query: FEED, variables: { after: cursor } },
      {
        next({ data, errors }) {
          if (errors) received.fault = errors;
          if (data && received.events.length < ENOUGH)
            received.events.push(mark(data.queuedJobEvents));
          if (received.events.length === ENOUGH) stop();
        },
        error: (error) => (received.fault = error),
        complete: () => {},
      },
    );
    return received;
  }

  it(`a stream from a page's cursor loses and repeats nothing, ${ROUNDS * TRIES}×`, async () => {
    const random = seededRandom();
    const round = async (): Promise<void> => {
      const person = await service.person();
      const clients = urls.map((url) =>
        createClient({
          url: `${url.replace(/^http/, "ws")}/graphql`,
          webSocketImpl: WebSocket,
          connectionParams: { authorization: `Bearer ${person.token}` },
          retryAttempts: 0,
        }),
      );
      opened.push(...clients);
      const tries: {
        page: { id: string; version: number }[];
        received: ReturnType<typeof listen>;
      }[] = [];
      const submitted = submit(person, 60, random);
      for (let i = 0; i < TRIES; i++) {
        const { queuedJobs } = (await person.get(PAGE)) as {
          queuedJobs: { nodes: { id: string; version: number }[]; eventCursor: string };
        };
        tries.push({
          page: queuedJobs.nodes,
          received: listen(clients[i % clients.length] ?? assert.fail(), queuedJobs.eventCursor),
        });
        await pause(random.below(8));
      }
      await submitted;
      await allFinished(person);
      const log = await logOf(person);
      for (const { page, received } of tries) {
        const seen = new Map(page.map(({ id, version }) => [id, version]));
        const expected = log
          .filter((text) => Number(text.split(" ")[1]) > (seen.get(text.split(" ")[0] ?? "") ?? 0))
          .slice(0, ENOUGH);
        await eventually(
          "the last event",
          () => received.events.length >= expected.length || received.fault !== null,
        ).catch(() => {});
        assert.deepEqual(received, { events: expected, fault: null }, `seed ${random.seed}`);
      }
    };
    await Promise.all(Array.from({ length: ROUNDS }, round));
  });

  it("unsubscribes from Redis when the last subscriber has gone", async () => {
    const redis = new Redis(process.env["TEST_REDIS_URL"] ?? "");
    const person = await service.person();
    const { me } = (await person.get("{ me { id } }")) as { me: { id: string } };
    const listening = async () =>
      ((await redis.pubsub("CHANNELS", `*:events:${me.id}`)) as string[]).length;
    const streams = Array.from({ length: 6 }, (_, i) => person.events({ url: urls[i % 2] ?? "" }));
    await eventually("the user's channel has a subscriber", async () => (await listening()) === 1);
    for (const [i, stream] of streams.entries()) (i < 3 ? stream.cut : stream.stop)();
    await eventually("the channel has no subscriber", async () => (await listening()) === 0);
    redis.disconnect();
  });
});
