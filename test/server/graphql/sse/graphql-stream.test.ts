import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createClient, type RequestParams, type Sink } from "graphql-sse";
import { LEEWAY_SECONDS } from "../../../../src/auth/verified-tokens.js";
import {
  STREAMED_EVENTS,
  openEventStream,
  type EventStream,
} from "../../../support/clients/event-stream.js";
import { eventually } from "../../../support/runner/eventually.js";
import { openRawSocket } from "../../../support/clients/raw-socket.js";
import type { EventFields } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const WATCH = { query: STREAMED_EVENTS };
const MAX_CONNECTIONS = 3;
const logged = (events: EventFields[]) => events.filter(({ type }) => type !== "PROGRESS");

describe("streams over HTTP", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({ env: { MAX_SOCKETS_PER_USER: String(MAX_CONNECTIONS) } });
  });
  after(() => service.close());

  const refusalOf = ({ status, headers, results }: EventStream) => [
    status,
    headers.get("content-type"),
    results[0]?.errors?.[0]?.extensions.code,
    results[0]?.errors?.[0]?.message,
  ];

  async function asked(
    token: string | null,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<EventStream> {
    const stream = await openEventStream(service.url, token, body, headers);
    await stream.ended();
    return stream;
  }

  it("send exactly the events of a socket, and resume from each cursor", async () => {
    const person = await service.person();
    const start = await person.cursor();
    const socket = person.events({ after: start });
    const stream = await openEventStream(service.url, person.token, {
      ...WATCH,
      variables: { after: start },
    });
    await person.enqueue("echo", { failAttempts: 1, message: "ü\n\n" });
    await stream.next("the success", ({ type }) => type === "SUCCEEDED");
    await socket.next("the success on the socket", ({ type }) => type === "SUCCEEDED");
    stream.stop();
    socket.stop();

    assert.deepEqual(
      [
        stream.status,
        stream.headers.get("content-type"),
        stream.headers.get("cache-control"),
        stream.headers.get("x-accel-buffering"),
      ],
      [200, "text/event-stream; charset=utf-8", "no-cache", "no"],
    );
    assert.deepEqual(logged(stream.events), logged(socket.events));
    assert.deepEqual(
      stream.events.map(({ type }) => type),
      ["QUEUED", "STARTED", "RETRYING", "STARTED", "SUCCEEDED"],
    );
    for (const [i, { cursor }] of stream.events.slice(0, -1).entries()) {
      const rest = await openEventStream(service.url, person.token, {
        ...WATCH,
        variables: { after: cursor },
      });
      await rest.next("the last event", ({ type }) => type === "SUCCEEDED");
      rest.stop();
      assert.deepEqual(rest.events, stream.events.slice(i + 1));
    }
  });

  it("complete after the last event of one job, and serve queries and mutations", async () => {
    const person = await service.person();
    const enqueued = await asked(person.token, {
      query: 'mutation { enqueueJob(input: { job: "echo" }) { id status } }',
    });
    const { id } = enqueued.results[0]?.data?.enqueueJob ?? assert.fail("no answer");
    assert.deepEqual([enqueued.results.length, enqueued.end], [1, "complete"]);
    const [row] = await service.database.sql<
      { requestId: string }[]
    >`select request_id as "requestId" from queued_jobs where id = ${id}`;
    assert.equal(row?.requestId, enqueued.headers.get("x-request-id"));
    const one = await asked(person.token, { ...WATCH, variables: { id } });
    assert.deepEqual([one.events.at(-1)?.type, one.end], ["SUCCEEDED", "complete"]);
    // A GET without an accept header, as curl sends it.
    const got = await fetch(`${service.url}/graphql/stream?query={me{__typename}}`, {
      headers: { authorization: `Bearer ${person.token}` },
    });
    assert.equal(
      await got.text(),
      ':\n\nevent: next\ndata: {"data":{"me":{"__typename":"User"}}}\n\nevent: complete\ndata:\n\n',
    );
  });

  it("refuse a missing or invalid token with 401, as GraphQL", async () => {
    const media = "application/json; charset=utf-8";
    assert.deepEqual(refusalOf(await asked(null, WATCH)), [
      401,
      media,
      "UNAUTHENTICATED",
      'Sign in: no token was sent; "Authorization: Bearer <token>" is expected.',
    ]);
    assert.deepEqual(
      refusalOf(await asked(await service.token({ iss: "https://other.test" }), WATCH)).slice(0, 3),
      [401, media, "UNAUTHENTICATED"],
    );
    assert.deepEqual(
      refusalOf(
        await asked(null, WATCH, {
          accept: "text/event-stream, application/graphql-response+json",
        }),
      ).slice(0, 3),
      [401, "application/graphql-response+json; charset=utf-8", "UNAUTHENTICATED"],
    );
  });

  it("refuse a mutation by GET, which any page could send", async () => {
    const response = await fetch(`${service.url}/graphql/stream?query=mutation{deleteMe}`, {
      headers: { authorization: `Bearer ${await service.token()}` },
    });
    assert.deepEqual(
      [response.status, await response.json()],
      [
        405,
        {
          errors: [
            { message: "Cannot perform mutations over GET", extensions: { code: "BAD_REQUEST" } },
          ],
        },
      ],
    );
  });

  it("mask and log an unexpected error", async () => {
    const person = await service.person();
    await service.database.sql`alter table photos rename to secret_photos`;
    const { results } = await asked(person.token, { query: "{ photos { nodes { id } } }" }).finally(
      () => service.database.sql`alter table secret_photos rename to photos`,
    );
    assert.deepEqual(
      [results[0]?.errors?.[0]?.message, results[0]?.errors?.[0]?.extensions],
      ["Internal server error", { code: "INTERNAL_SERVER_ERROR" }],
    );
    assert.ok(
      service.logged.some(
        ({ msg, err }) => msg === "an operation failed" && JSON.stringify(err).includes("photos"),
      ),
      "the error is not in the log",
    );
  });

  it("count as connections of their user, and one too many is QUOTA_EXCEEDED", async () => {
    const [token, other] = [
      await service.token({ sub: "many" }),
      await service.token({ sub: "other" }),
    ];
    const socket = openRawSocket(service.url);
    await socket.init(token);
    const streams = [
      await openEventStream(service.url, token, WATCH),
      await openEventStream(service.url, token, WATCH),
    ];
    const refused = await asked(token, WATCH);
    assert.deepEqual(refusalOf(refused).slice(0, 1).concat(refusalOf(refused).slice(2)), [
      429,
      "QUOTA_EXCEEDED",
      "Too many open connections for this user: close a socket or stream and try again.",
    ]);
    assert.deepEqual(
      [refused.headers.get("retry-after"), refused.results[0]?.errors?.[0]?.extensions],
      ["1", { code: "QUOTA_EXCEEDED", retryAfterMs: 1000 }],
    );
    const second = openRawSocket(service.url);
    second.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    assert.deepEqual(await second.closed(), { code: 4429, reason: "Too many sockets" });
    assert.equal((await asked(other, { query: "{ me { id } }" })).end, "complete");
    streams[0]?.stop();
    await eventually(
      "there is room again",
      async () => (await asked(token, { query: "{ me { id } }" })).status === 200,
    );
    socket.close();
    streams[1]?.stop();
  });

  it("end without `complete` when the token expires, and when the account is deleted", async () => {
    const expiresAt = Math.floor(Date.now() / 1000) - LEEWAY_SECONDS + 2;
    const brief = await openEventStream(
      service.url,
      await service.token({ exp: expiresAt }),
      WATCH,
    );
    const deleted = await service.person();
    const stream = await openEventStream(service.url, deleted.token, WATCH);
    await deleted.get("mutation { deleteMe }");
    assert.equal(await stream.ended(), "cut");
    assert.equal(await brief.ended(), "cut");
    assert.ok(Date.now() >= (expiresAt + LEEWAY_SECONDS) * 1000, "it ended too early");
  });

  it("end without `complete` when the service stops, and a standard client resumes", async () => {
    const [first, second] = [await service.addApi(), await service.addApi()];
    const person = await service.person();
    let url = first.url;
    const client = createClient({
      url: () => `${url}/graphql/stream`,
      headers: { authorization: `Bearer ${person.token}` },
      retry: async () => {},
    });
    const events: EventFields[] = [];
    const request: RequestParams = {
      query: STREAMED_EVENTS,
      variables: { after: await person.cursor() },
    };
    const sink: Sink<{ data?: { queuedJobEvents: EventFields } | null }> = {
      next({ data }) {
        if (!data) return;
        events.push(data.queuedJobEvents);
        // The client sends the current state of this object when it reconnects.
        request.variables = { after: data.queuedJobEvents.cursor };
      },
      error: (error) => assert.fail(String(error)),
      complete: () => {},
    };
    const stop = client.subscribe(request, sink as Sink);
    const { id } = await person.enqueue("echo");
    await eventually("the success was received", () =>
      events.some(({ type }) => type === "SUCCEEDED"),
    );
    url = second.url;
    const startedAt = Date.now();
    await first.close();
    assert.ok(Date.now() - startedAt < 4000, "the stream kept the service from stopping");
    await person.get("mutation ($id: ID!) { deleteQueuedJob(id: $id) }", { id });
    await eventually("the deletion was received", () =>
      events.some(({ type }) => type === "DELETED"),
    );
    stop();
    assert.deepEqual(
      logged(events).map(({ type }) => type),
      ["QUEUED", "STARTED", "SUCCEEDED", "DELETED"],
    );
    await second.close();
  });
});
