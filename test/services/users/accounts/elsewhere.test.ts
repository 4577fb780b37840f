// An account is deleted in one API process while another process has it in its cache. The other
// process must not answer or write anything for it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { decodeJwt } from "jose";
import { closeAccount } from "../../../../src/services/users/accounts.js";
import { createTestClient, type TestClient } from "../../../support/clients/test-client.js";
import { eventually } from "../../../support/runner/eventually.js";
import { openRawSocket } from "../../../support/clients/raw-socket.js";
import { smallPhoto } from "../../../support/service/small-photo.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";

const GONE = { code: "UNAUTHENTICATED", message: "This account was deleted: sign in again." };

describe("a user who was deleted in another process", () => {
  let service: TestService;
  let other: { url: string };
  before(async () => {
    service = await startTestService({ workers: 0 });
    other = await service.addApi();
  });
  after(() => service.close());

  /** Both processes have the user in their caches. */
  async function knownToBoth(): Promise<{ here: TestClient; there: TestClient; id: string }> {
    const here = await service.person();
    const there = createTestClient(other.url, here.token);
    const [{ me }] = [await here.get("{ me { id } }"), await there.get("{ me { id } }")];
    return { here, there, id: me.id };
  }

  /** Deletes without a notification to the processes, as if it was lost. */
  const removeSilently = (id: string) => service.database.sql`delete from users where id = ${id}`;
  const usersOf = async (token: string) =>
    Number(
      (
        await service.database
          .sql`select count(*) as n from users where subject = ${String(decodeJwt(token).sub)}`
      )[0]?.["n"],
    );

  it("is soon refused on every transport, and is new with a later token", async () => {
    const { here, there, id } = await knownToBoth();
    assert.deepEqual(await here.get("mutation { deleteMe }"), { deleteMe: true });
    await eventually(
      "the other process has received the notification",
      async () => (await there.ask("{ me { id } }")).code === "UNAUTHENTICATED",
    );
    const restarted = await service.addApi();
    for (const url of [service.url, other.url, restarted.url]) await assertRefused(url, here.token);
    assert.equal(await usersOf(here.token), 0);

    const later = await eventually("a token of a later second is accepted", async () => {
      const client = createTestClient(
        other.url,
        await service.token({ sub: String(decodeJwt(here.token).sub) }),
      );
      return (
        (await client.ask('mutation { enqueueJob(input: { job: "echo" }) { id } }')).data && client
      );
    });
    const { me } = await later.get("{ me { id queuedJobs { nodes { id } } } }");
    assert.notEqual(me.id, id);
    assert.equal(me.queuedJobs.nodes.length, 1);
    for (const url of [service.url, other.url, restarted.url]) await assertRefused(url, here.token);
  });

  /** The transports HTTP, Server-Sent Events, upload and WebSocket. */
  async function assertRefused(url: string, token: string): Promise<void> {
    const client = createTestClient(url, token);
    const { data, errors } = await client.ask("{ me { id } }");
    assert.deepEqual(
      [data, errors?.[0]?.message, errors?.[0]?.extensions.code],
      [undefined, GONE.message, GONE.code],
    );
    const stream = await fetch(`${url}/graphql/stream?query={me{id}}`, {
      headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" },
    });
    assert.equal(stream.status, 401);
    assert.deepEqual(await client.upload(await smallPhoto()), { status: 401, json: GONE });
    const socket = openRawSocket(url);
    socket.send({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    assert.equal((await socket.closed()).code, 4403);
  }

  it("has an idle socket there closed with 4403", async () => {
    const { here } = await knownToBoth();
    const idle = openRawSocket(other.url);
    await idle.init(here.token);
    await here.get("mutation { deleteMe }");
    assert.equal((await idle.closed()).code, 4403);
  });

  it("gets no new account through a socket that was opened before", async () => {
    // Admins are looked up with every operation, as all users are after a minute.
    const { token, get } = await service.admin();
    const socket = openRawSocket(other.url);
    await socket.init(token);
    await removeSilently((await get("{ me { id } }")).me.id);
    socket.send({
      type: "subscribe",
      id: "1",
      payload: { query: "subscription { queuedJobEvents { type } }" },
    });
    const { payload } = await socket.next("it is refused", ({ id }) => id === "1");
    assert.deepEqual(payload, [{ message: GONE.message, extensions: { code: GONE.code } }]);
    assert.equal(await usersOf(token), 0);
    socket.close();
  });

  it("does not exist for an admin, who sees the rows with a nameless owner", async () => {
    const { here, id } = await knownToBoth();
    const { id: queuedJobId } = await here.enqueue("echo");
    await closeAccount(service.database, id);
    const admin = await service.admin();
    const found = await admin.get(
      "query ($user: ID!, $job: ID!) { user(id: $user) { id } node(id: $user) { id } " +
        "users(first: 100) { nodes { id } } queuedJob(id: $job) { id user { id email name " +
        "role } } }",
      { user: id, job: queuedJobId },
    );
    assert.deepEqual(
      [found.user, found.node, found.users.nodes.some((one: { id: string }) => one.id === id)],
      [null, null, false],
    );
    assert.deepEqual(found.queuedJob, {
      id: queuedJobId,
      user: { id, email: "", name: "", role: "USER" },
    });
    const { queuedJobs } = await admin.get(
      "{ queuedJobs(allUsers: true) { nodes { id user { id } } } }",
    );
    assert.ok(queuedJobs.nodes.some((one: { id: string }) => one.id === queuedJobId));
  });

  it("gets no answers and writes nothing even if the notification was lost", async () => {
    const { there, id } = await knownToBoth();
    await removeSilently(id);
    const asked = await Promise.all([
      there.ask("{ me { id email } }"),
      there.ask('mutation { enqueueJob(input: { job: "echo" }) { id } }'),
      there.ask(`{ user(id: "${id}") { id } queuedJobs { nodes { id } } photos { nodes { id } } }`),
    ]);
    assert.deepEqual(
      asked
        .slice(0, 2)
        .map(({ data, errors }) => [
          data,
          { code: errors?.[0]?.extensions.code, message: errors?.[0]?.message },
        ]),
      [
        [null, GONE],
        [null, GONE],
      ],
    );
    assert.deepEqual(asked[2]?.data, {
      user: null,
      queuedJobs: { nodes: [] },
      photos: { nodes: [] },
    });
    assert.deepEqual(await there.upload(await smallPhoto()), { status: 401, json: GONE });
    assert.equal(await usersOf(there.token), 0, "and no request creates the user again");
  });

  it("has a stream ended within seconds after a lost notification", async () => {
    const { there, id } = await knownToBoth();
    const stream = there.events();
    await eventually(
      "the stream is open",
      async () => (await there.enqueue("echo")) && stream.events.length > 0,
    );
    await removeSilently(id);
    assert.equal((await stream.ended()).close?.code, 4403);
    stream.stop();
    assert.notEqual((await there.get("{ me { id } }")).me.id, id);
    assert.equal(await usersOf(there.token), 1);
  });
});
