import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { PhotoService, QueuedJobEvent } from "../../../../client/src/index.js";
import { createHttpOnlyProxy } from "../../../support/clients/http-only-proxy.js";
import type { TestClient } from "../../../support/clients/test-client.js";
import { eventually } from "../../../support/runner/eventually.js";
import { seededRandom } from "../../../support/runner/seeded-random.js";
import { startTestService, type TestService } from "../../../support/service/test-service.js";
import { createTcpProxy } from "../../../support/stores/tcp-proxy.js";
import { clientOf } from "../../client-of.js";

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("following events", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService();
  });
  after(() => service?.close());

  /** Compares what a list and the watches of a client received with the event log. */
  async function followDisturbed(
    client: PhotoService,
    person: TestClient,
    { rounds, disturb }: { rounds: number; disturb: () => Promise<unknown> },
  ): Promise<void> {
    const received: QueuedJobEvent[] = [];
    const list = client.jobs({ onEvent: (event) => received.push(event) });
    const stop = list.subscribe(() => {});
    await eventually("the list is live", () => list.getSnapshot().isLive);
    const watched: Promise<QueuedJobEvent[]>[] = [];
    for (let i = 0; i < rounds; i++) {
      const jobs = await Promise.all(
        Array.from({ length: 5 }, () => client.run("echo", { durationMs: 20 })),
      );
      for (const job of jobs) watched.push(collect(client.watch(job)));
      for (let k = 0; k < 3; k++) await disturb();
    }
    const all = await Promise.all(watched);
    const isLogged = ({ type }: QueuedJobEvent) => type !== "PROGRESS";
    await eventually(
      "all have succeeded in the list",
      () => received.filter(({ type }) => type === "SUCCEEDED").length === 5 * rounds,
    );
    stop();
    const { me } = (await person.get("{ me { id } }")) as { me: { id: string } };
    const log = await service.database.sql<{ id: string; type: string }[]>`
      select queued_job_id as id, type from queued_job_events
      where user_id = ${me.id} order by seq`;
    assert.deepEqual(
      received.filter(isLogged).map(({ type, queuedJob }) => `${queuedJob.id} ${type}`),
      log.map(({ id, type }) => `${id} ${type}`),
    );
    for (const events of all) {
      const versions = events.filter(isLogged).map(({ queuedJob }) => queuedJob.version);
      const [first = 0] = versions;
      assert.deepEqual(
        versions,
        versions.map((_, i) => first + i),
      );
      assert.equal(events.at(-1)?.type, "SUCCEEDED");
    }
    assert.ok(list.getSnapshot().jobs.every(({ status }) => status === "SUCCESS"));
  }

  // The test of the hooks does the same over hundreds of cuts.
  it("delivers every logged event once and in order while connections are cut", async () => {
    const random = seededRandom();
    const person = await service.person();
    const second = await service.addApi();
    const proxy = await createTcpProxy(service.url);
    const { client, sockets } = clientOf({ url: proxy.url, token: person.token });
    let count = 0;
    try {
      await followDisturbed(client, person, {
        rounds: 2,
        async disturb() {
          await pause(random.below(60));
          proxy.aim(count++ % 2 === 0 ? second.url : service.url);
          proxy.cut();
        },
      });
    } finally {
      client.close();
      await proxy.close();
      await second.close();
    }
    assert.ok(sockets() > 2, `${sockets()} sockets`);
  });

  it("falls back to event streams where a proxy strips upgrades, and resumes these", async (t) => {
    const person = await service.person();
    const proxy = await createHttpOnlyProxy(service.url);
    const { client } = clientOf({ url: proxy.url, token: person.token });
    t.after(async () => {
      client.close();
      await proxy.close();
    });
    await followDisturbed(client, person, {
      rounds: 2,
      async disturb() {
        await pause(30);
        proxy.cut();
      },
    });
    assert.ok(proxy.upgrades >= 2);
  });

  it("uses event streams where the platform has no WebSocket", async (t) => {
    const person = await service.person();
    const { client } = clientOf({ url: service.url, token: person.token, webSocket: null });
    t.after(() => client.close());
    assert.equal((await client.finished(await client.run("echo", {}))).status, "SUCCESS");
  });

  it("asks for a fresh token when its token expires, over both transports", async (t) => {
    async function connectTwice(transport: { webSocket?: null }): Promise<void> {
      const given: string[] = [];
      const { client } = clientOf({
        url: service.url,
        async token() {
          // The service accepts a token for 5 s after its end.
          const expiresIn = list.getSnapshot().isLive ? 3600 : -3;
          given.push(await service.token({ sub: "short" }, { expiresIn }));
          return given.at(-1) ?? "";
        },
        ...transport,
      });
      t.after(() => client.close());
      const list = client.jobs();
      t.after(list.subscribe(() => {}));
      await eventually("the list is live", () => list.getSnapshot().isLive);
      const count = given.length;
      await eventually("a connection has been made again", () => given.length > count);
      const { id } = await client.run("echo", {});
      await eventually("the list shows it", () => list.getSnapshot().jobs[0]?.id === id);
    }
    await Promise.all([connectTwice({}), connectTwice({ webSocket: null })]);
  });

  it("keeps trying while the token function fails, and says why", async (t) => {
    let isSignedOut = true;
    const token = await service.token();
    const { client } = clientOf({
      url: service.url,
      async token() {
        if (isSignedOut) throw new Error("signed out");
        return token;
      },
    });
    t.after(() => client.close());
    const list = client.jobs();
    t.after(list.subscribe(() => {}));
    await eventually(
      "the list has the reason",
      () => list.getSnapshot().error?.code === "TOKEN_FAILED",
    );
    isSignedOut = false;
    await eventually("the list is live", () => list.getSnapshot().isLive);
    assert.equal(list.getSnapshot().error, null);
  });

  it("ends with the reason when a fixed token is refused", async (t) => {
    const { client } = clientOf({ url: service.url, token: "not a token" });
    const { client: other } = clientOf({ url: service.url, token: await service.token() });
    t.after(() => [client, other].forEach((one) => one.close()));
    const list = client.jobs();
    let changes = 0;
    t.after(list.subscribe(() => changes++));
    await eventually(
      "the list has the reason",
      () => list.getSnapshot().error?.code === "UNAUTHENTICATED",
    );
    assert.equal(list.getSnapshot().isLoading, false);
    // Another attempt would come within 250 ms.
    const seen = changes;
    await other.finished(await other.run("echo", { durationMs: 500 }));
    assert.equal(changes, seen);
  });
});
