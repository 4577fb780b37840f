// An answer that gets too large is refused during its execution, over each transport. Each event of
// a stream has its own budget.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openEventStream } from "../../../support/clients/event-stream.js";
import { eventually } from "../../../support/runner/eventually.js";
import { addManyPhotos } from "./many-photos.js";
import { openRawSocket } from "../../../support/clients/raw-socket.js";
import type { GraphqlError, TestClient } from "../../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

interface Result {
  data?: unknown;
  errors?: GraphqlError[] | undefined;
}

/** Each list has 10,100 rows: four lists fit in an answer, five do not. */
const lists = (count: number) =>
  Array.from(
    { length: count },
    (_, i) =>
      `a${i}: queuedJobs(first: 100, filter: { job: ["contact-sheet"] }) { nodes { ` +
      "photos { __typename } } }",
  ).join(" ");
const query = (count: number) => `{ ${lists(count)} }`;
const subscription = (count: number) =>
  `subscription { queuedJobEvents { type queuedJob { user { ${lists(count)} } } } }`;
/** More executions than are needed until a query is compiled. */
const OFTEN = 12;

describe("an answer of more than 50,000 rows", () => {
  let service: TestService;
  let person: TestClient;
  before(async () => {
    service = await startTestService({ workers: 0 });
    person = await service.person();
    await addManyPhotos(service.database.sql, (await person.get("{ me { id } }")).me.id, 24);
  });
  after(() => service.close());

  function assertRefused({ errors }: Result): void {
    assert.ok(errors?.length);
    for (const { extensions, message } of errors) {
      assert.deepEqual(extensions, { code: "GRAPHQL_VALIDATION_FAILED", limit: "answerNodes" });
      assert.equal(
        message,
        "The answer has more than 50000 rows: request fewer rows (first or last) or fewer nested fields.",
      );
    }
  }

  it("is refused over HTTP each time", async () => {
    assert.equal((await person.ask(query(4))).errors, undefined);
    for (let i = 0; i < OFTEN; i++) assertRefused(await person.ask(query(5)));
    assert.equal((await person.ask(query(4))).errors, undefined);
  });

  it("is counted for archives of 500 photos, of which a default page may be full", async () => {
    const archives = (first: number) =>
      person.ask(
        `{ queuedJobs(first: ${first}, filter: { job: ["archive"] }) { nodes { photos { id } } } }`,
      );
    const { data } = await archives(20);
    assert.equal(data.queuedJobs.nodes[19].photos.length, 500);
    assertRefused(await archives(24));
  });

  it("is not caused by executing a query again after an error", async () => {
    const broken = `{ ${lists(3)} queuedJob(id: "none") { id } }`;
    for (let i = 0; i < OFTEN; i++)
      assert.deepEqual(
        (await person.ask(broken)).errors?.map(({ extensions }) => extensions.code),
        ["BAD_USER_INPUT"],
      );
  });

  it("is refused on a socket, which stays open", async () => {
    const socket = openRawSocket(service.url);
    await socket.init(person.token);
    for (const [id, count] of [
      ["large", 5],
      ["fits", 4],
    ] as const)
      socket.send({ type: "subscribe", id, payload: { query: query(count) } });
    const answerOf = async (wanted: string) =>
      (await socket.next(`the answer to ${wanted}`, ({ id }) => id === wanted)).payload as Result;
    assertRefused(await answerOf("large"));
    assert.equal((await answerOf("fits")).errors, undefined);
    socket.close();
  });

  it("is refused in a stream over HTTP", async () => {
    for (const count of [5, 4]) {
      const stream = await openEventStream(service.url, person.token, { query: query(count) });
      await stream.ended();
      if (count === 5) assertRefused(stream.results[0] ?? {});
      else assert.equal(stream.results[0]?.errors, undefined);
    }
  });

  it("is refused for one event, and the stream continues", async () => {
    const socket = openRawSocket(service.url);
    await socket.init(person.token);
    socket.send({ type: "subscribe", id: "large", payload: { query: subscription(5) } });
    socket.send({ type: "subscribe", id: "fits", payload: { query: subscription(4) } });
    const stream = await openEventStream(service.url, person.token, { query: subscription(4) });
    // The answer to this query shows that the streams are open.
    socket.send({ type: "subscribe", id: "ping", payload: { query: "{ me { id } }" } });
    await socket.next("the socket answers", ({ id }) => id === "ping");
    await person.enqueue("echo");
    const answered = (wanted: string, count: number) =>
      socket.next(
        `event ${count} of ${wanted}`,
        () => socket.messages.filter(({ id }) => id === wanted).length >= count,
      );
    for (const count of [1, 2, 3]) {
      if (count > 1) await person.enqueue("echo");
      await Promise.all([answered("large", count), answered("fits", count)]);
    }
    await eventually("the stream has sent all events", () => stream.results.length === 3);
    const resultsOf = (wanted: string) =>
      socket.messages.filter(({ id }) => id === wanted).map(({ payload }) => payload as Result);
    for (const result of resultsOf("large")) assertRefused(result);
    for (const result of [...resultsOf("fits"), ...stream.results])
      assert.equal(result.errors, undefined);
    stream.stop();
    socket.close();
  });
});
