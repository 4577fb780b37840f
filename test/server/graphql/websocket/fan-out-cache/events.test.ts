import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openEventStream, type EventStream } from "../../../../support/clients/event-stream.js";
import { eventually } from "../../../../support/runner/eventually.js";
import { openRawSocket, type RawSocket } from "../../../../support/clients/raw-socket.js";
import type { TestClient } from "../../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../../support/service/test-service.js";

/** Creates a document with this selection. PROGRESS is excluded, since it can be coalesced. */
const ofEvent = (selection: string, more = "") =>
  `subscription S($after: String${more}) { queuedJobEvents(after: $after, ` +
  `includeProgress: false) { ${selection} } }`;
const FRAGMENTS =
  "fragment E on QueuedJobEvent { type queuedJob { ...J } } fragment J on QueuedJob { id " +
  "... on Node { id } error { code ...M } } fragment M on JobError { message }";

const DOCUMENTS: [string, string, object?][] = [
  [
    "scalars",
    ofEvent(
      "cursor type at queuedJob { id status version attempts priority parameters result " +
        "createdAt startedAt finishedAt expiresAt runAt reusedFrom progress " +
        "progressMessage }",
    ),
  ],
  ["no cursor", ofEvent("type")],
  ["only the type name", ofEvent("__typename")],
  [
    "type names on all levels",
    "subscription S($after: String) { queuedJobEvents(after: $after, includeProgress: " +
      "false) { __typename queuedJob { __typename id error { __typename } } } }",
  ],
  [
    "aliases on all levels",
    "subscription S($after: String) { step: queuedJobEvents(after: $after, " +
      "includeProgress: false) { what: type a: cursor b: cursor one: queuedJob { number: " +
      "version same: version } two: queuedJob { id } } }",
  ],
  ["the same field twice", ofEvent("type type queuedJob { id } queuedJob { version id }")],
  ["fragments in fragments", `${ofEvent("...E cursor")} ${FRAGMENTS}`],
  [
    "a fragment around the stream",
    "subscription S($after: String) { ...R } fragment R on Subscription { " +
      "queuedJobEvents(after: $after, includeProgress: false) { type queuedJob { id } } }",
  ],
  [
    "fragments of other types",
    ofEvent(
      "... on QueuedJobEvent { type } queuedJob { ... on Node { ... on User { email } " +
        "... on QueuedJob { version } } }",
    ),
  ],
  [
    "included fields",
    ofEvent(
      "type cursor @include(if: $yes) at @skip(if: $yes) queuedJob @include(if: $yes) { id }",
      ", $yes: Boolean!",
    ),
    { yes: true },
  ],
  [
    "skipped fields",
    ofEvent(
      "type cursor @include(if: $yes) at @skip(if: $yes) queuedJob @include(if: $yes) { id }",
      ", $yes: Boolean!",
    ),
    { yes: false },
  ],
  [
    "a variable's default",
    ofEvent("type queuedJob { id result @skip(if: $no) }", ", $no: Boolean = true"),
  ],
  [
    "an overridden default of a variable",
    ofEvent("type queuedJob { id result @skip(if: $no) }", ", $no: Boolean = true"),
    { no: false },
  ],
  [
    "a variable below the event",
    ofEvent("type queuedJob { user { queuedJobs(first: $n) { totalCount } } }", ", $n: Int"),
    { n: 3 },
  ],
  [
    "an invalid variable below the event",
    ofEvent("type queuedJob { user { queuedJobs(first: $n) { totalCount } } }", ", $n: Int"),
    { n: 0 },
  ],
  [
    "the Job and the User",
    ofEvent("queuedJob { id job { name title maxAttempts } user { id email role } }"),
  ],
  ["photos and outputs", ofEvent("type queuedJob { photos { id } outputs { name } }")],
  [
    "an error of a nullable field",
    ofEvent(
      'type queuedJob { id error { message } user { queuedJobs(first: 1, after: "no ' +
        'cursor") { nodes { id } } } }',
    ),
  ],
  ["another operation beside it", `query Q { me { id } } ${ofEvent("type")}`],
];

const TIMES = 4;

// An event stream over HTTP does not share results, so it serves as the reference.
describe("the shared result of an event", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service.close());

  function watchOnSocket(socket: RawSocket, id: string, payload: object): void {
    socket.send({ type: "subscribe", id, payload: { ...payload, operationName: "S" } });
  }

  const receivedOn = (socket: RawSocket, id: string) =>
    socket.messages
      .filter((message) => message.id === id && message.type === "next")
      .map(({ payload }) => payload);

  async function runJob(person: TestClient): Promise<void> {
    const { id } = await person.enqueue("echo", {
      failAttempts: 1,
      message: 'ü \u{1f600} "quoted"',
    });
    await person.finished(id);
  }

  it("equals the result without sharing, for any document and variables", async () => {
    const person = await service.person();
    const start = await person.cursor();
    const [first, second] = [openRawSocket(service.url), openRawSocket(service.url)];
    await Promise.all([first.init(person.token), second.init(person.token)]);
    const alone: EventStream[] = [];
    for (const [i, [, query, variables]] of DOCUMENTS.entries()) {
      const payload = { query, variables: { after: start, ...variables } };
      watchOnSocket(first, `${i} one`, payload);
      watchOnSocket(first, `${i} two`, payload);
      watchOnSocket(second, `${i} one`, { ...payload, variables: { ...variables, after: start } });
      alone.push(
        await openEventStream(service.url, person.token, { ...payload, operationName: "S" }),
      );
    }
    // Repeat until the operations are compiled.
    for (let times = 1; times <= TIMES; times++) {
      await runJob(person);
      for (const [i, [what]] of DOCUMENTS.entries()) {
        const streams = () => [
          receivedOn(first, `${i} one`),
          receivedOn(first, `${i} two`),
          receivedOn(second, `${i} one`),
        ];
        await eventually(`${what}: all events were received`, () =>
          [alone[i]?.results, ...streams()].every((all) => all?.length === 5 * times),
        );
        for (const stream of streams()) assert.deepEqual(stream, alone[i]?.results, what);
      }
    }
    for (const stream of [
      ...alone,
      ...[first, second].map((socket) => ({ stop: () => socket.close() })),
    ])
      stream.stop();
  });

  it("is separate for each owner of the same document", async () => {
    const [ann, bob] = [await service.person(), await service.person()];
    const payload = { query: ofEvent("queuedJob { id user { email } }") };
    const sockets = [openRawSocket(service.url), openRawSocket(service.url)] as const;
    await Promise.all([sockets[0].init(ann.token), sockets[1].init(bob.token)]);
    for (const [i, person] of [ann, bob].entries())
      for (const id of ["1", "2"])
        watchOnSocket(sockets[i] ?? assert.fail(), id, {
          ...payload,
          variables: { after: await person.cursor() },
        });
    await Promise.all([runJob(ann), runJob(bob)]);
    const emails = [ann, bob].map(
      async (person) => (await person.get("{ me { email } }")).me.email,
    );
    for (const [i, socket] of sockets.entries()) {
      await eventually(
        "all events were received",
        () => receivedOn(socket, "1").length + receivedOn(socket, "2").length === 10,
      );
      const seen = new Set(
        socket.messages.flatMap(({ type, payload: result }) =>
          type === "next"
            ? [
                (
                  result as {
                    data: { queuedJobEvents: { queuedJob: { user: { email: string } } } };
                  }
                ).data.queuedJobEvents.queuedJob.user.email,
              ]
            : [],
        ),
      );
      assert.deepEqual([...seen], [await emails[i]]);
      socket.close();
    }
  });
});
