import "reflect-metadata";
import assert from "node:assert/strict";
import type { GraphQLResolveInfo } from "graphql";
import { after, before, describe, it } from "node:test";
import { decodeJwt } from "jose";
import type { Context } from "../../../src/graphql/context.js";
import { UserResolver } from "../../../src/graphql/user/user.resolver.js";
import type { User } from "../../../src/services/users/users.js";
import { assertRefused } from "../../support/asserts/assert-refused.js";
import { BROKEN_IDS, idOfNothing } from "../../support/asserts/broken-ids.js";
import { eventually } from "../../support/runner/eventually.js";
import { smallPhoto } from "../../support/service/small-photo.js";
import { createTestClient, type TestClient } from "../../support/clients/test-client.js";
import { startTestService, type TestService } from "../../support/service/test-service.js";

const USER = "query ($id: ID!) { user(id: $id) { id email } }";
const myId = async (person: TestClient): Promise<string> =>
  (await person.get("{ me { id } }")).me.id;

describe("me, user, users and deleteMe", () => {
  let service: TestService;
  before(async () => {
    service = await startTestService({
      workers: 0,
      env: {
        MAX_PENDING_PER_USER: "7",
        MAX_UPLOAD_BYTES: "20000",
        MAX_STORED_BYTES_PER_USER: "3000000000",
        MAX_PHOTO_PIXELS: "123456",
      },
    });
  });
  after(() => service.close());

  it("me is the user in the token", async () => {
    const person = await service.person({
      email: "ann@example.test",
      name: "Ann",
      picture: "https://example.test/ann.png",
    });
    const { me } = await person.get("{ me { __typename id email name picture role createdAt } }");
    assert.match(me.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    assert.match(me.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(
      { ...me, id: 0, createdAt: 0 },
      {
        __typename: "User",
        id: 0,
        email: "ann@example.test",
        name: "Ann",
        picture: "https://example.test/ann.png",
        role: "USER",
        createdAt: 0,
      },
    );
    const bare = await service.person({ email: "bob@example.test", name: undefined });
    assert.deepEqual((await bare.get("{ me { name picture } }")).me, {
      name: "bob",
      picture: null,
    });
  });

  it("user returns only the caller, but any user to an admin", async () => {
    const [ann, bob, admin] = await Promise.all([
      service.person(),
      service.person(),
      service.admin(),
    ]);
    const [annsId, bobsId] = [await myId(ann), await myId(bob)];
    assert.equal((await ann.get(USER, { id: annsId.toUpperCase() })).user.id, annsId);
    assert.equal((await ann.get(USER, { id: bobsId })).user, null);
    assert.equal((await ann.get(USER, { id: idOfNothing() })).user, null);
    assert.equal((await admin.get(USER, { id: bobsId })).user.id, bobsId);
    assert.equal((await admin.get(USER, { id: idOfNothing() })).user, null);
  });

  it("user refuses an invalid id", async () => {
    for (const person of [await service.person(), await service.admin()]) {
      for (const id of BROKEN_IDS)
        assertRefused(
          (await person.ask(USER, { id })).errors,
          "BAD_USER_INPUT",
          "id: is not an id: ids are UUIDs",
          ["id"],
        );
    }
  });

  it("users is allowed only to admins", async () => {
    const person = await service.person();
    assertRefused(
      (await person.ask("{ users { totalCount } }")).errors,
      "FORBIDDEN",
      "Only an admin may list users.",
    );
    const { users } = await (
      await service.admin()
    ).get("{ users(first: 100) { nodes { id email role } } }");
    assert.deepEqual(
      users.nodes
        .filter(({ role }: { role: string }) => role === "ADMIN")
        .map(({ email }: { email: string }) => email),
      ["admin@example.test"],
    );
  });

  it("an admin has one of the configured e-mails, and it is verified", async () => {
    const roleOf = async (claims: object) =>
      (await (await service.person({ ...claims })).get("{ me { role } }")).me.role;
    assert.equal(await roleOf({ email: "Admin@Example.Test", email_verified: true }), "ADMIN");
    assert.equal(await roleOf({ email: "admin@example.test", email_verified: false }), "USER");
    assert.equal(await roleOf({ email: "admin@example.test", email_verified: "true" }), "USER");
    // A claim that works only in development tokens.
    assert.equal(await roleOf({ admin: true }), "USER");
  });

  it("limits returns the limits and the current usage", async () => {
    const person = await service.person();
    const photo = smallPhoto();
    await person.upload(photo, { type: "image/png" });
    await person.enqueue("echo");
    const { me } = await person.get(
      "{ me { limits { maxUnfinished unfinished maxUploadBytes maxStoredBytes " +
        "storedBytes maxPhotoPixels } } }",
    );
    assert.deepEqual(me.limits, {
      maxUnfinished: 7,
      unfinished: 1,
      maxUploadBytes: 20_000,
      maxStoredBytes: 3_000_000_000,
      storedBytes: photo.length,
      maxPhotoPixels: 123_456,
    });
  });

  it("an admin reads another user's limits and QueuedJobs, with an own cursor", async () => {
    const [person, admin] = await Promise.all([service.person(), service.admin()]);
    const { id } = await person.enqueue("echo");
    const { user } = await admin.get(
      "query ($id: ID!) { user(id: $id) { limits { unfinished } queuedJobs(filter: { " +
        'job: ["echo"] }) { nodes { id } eventCursor } } }',
      { id: await myId(person) },
    );
    assert.deepEqual([user.limits.unfinished, user.queuedJobs.nodes], [1, [{ id }]]);
    assert.equal(user.queuedJobs.eventCursor, await admin.cursor());
  });

  it("deleteMe deletes only the caller's data, and a later token creates a new user", async () => {
    const [person, other] = await Promise.all([service.person(), service.person()]);
    const photo = smallPhoto();
    const uploads = await Promise.all(
      [person, other].map((client) => client.upload(photo, { type: "image/png" })),
    );
    const { id } = await person.enqueue("metadata", {}, { photoIds: [uploads[0]?.json["id"]] });
    const kept = await other.enqueue("metadata", {}, { photoIds: [uploads[1]?.json["id"]] });
    const old = await myId(person);

    assert.deepEqual(await person.get("mutation { deleteMe }"), { deleteMe: true });
    assert.equal((await person.ask("{ me { id } }")).code, "UNAUTHENTICATED");
    const again = await eventually("a later token is accepted", async () => {
      const client = createTestClient(
        service.url,
        await service.token({ sub: String(decodeJwt(person.token).sub) }),
      );
      return (await client.ask("{ me { id } }")).data && client;
    });
    assert.notEqual(await myId(again), old);
    assert.deepEqual(
      await again.get(
        "{ queuedJobs { nodes { id } } photos { nodes { id } } me { limits { unfinished " +
          "storedBytes } } }",
      ),
      {
        queuedJobs: { nodes: [] },
        photos: { nodes: [] },
        me: { limits: { unfinished: 0, storedBytes: 0 } },
      },
    );
    assert.equal(await again.job(id), null);
    assert.deepEqual(await (await service.admin()).get(USER, { id: old }), { user: null });
    assert.equal((await fetch(new URL(String(uploads[0]?.json["url"]), service.url))).status, 404);
    assert.equal((await other.job(kept.id))?.id, kept.id);
    assert.equal((await fetch(new URL(String(uploads[1]?.json["url"]), service.url))).status, 200);
  });

  it("deleteMe closes only the user's sockets, with 4403", async () => {
    const [person, other] = await Promise.all([service.person(), service.person()]);
    const [gone, kept] = [
      person.events({ after: await person.cursor() }),
      other.events({ after: await other.cursor() }),
    ];
    await person.enqueue("echo");
    await gone.next("the stream is open", () => true);
    await createTestClient(service.url, person.token).get("mutation { deleteMe }");
    assert.deepEqual(await gone.ended(), { close: { code: 4403, reason: "Forbidden" } });
    await other.enqueue("echo");
    await kept.next("the other stream is open", () => true);
    assert.equal(kept.end, null);
    kept.stop();
  });

  it("deleteMe of an admin deletes only the admin", async () => {
    const [person, admin] = await Promise.all([service.person(), service.admin()]);
    const { id } = await person.enqueue("echo");
    await admin.get("mutation { deleteMe }");
    assert.equal((await person.job(id))?.status, "PENDING");
    assert.equal((await admin.ask("{ me { role } }")).code, "UNAUTHENTICATED");
  });
});

describe("another user", () => {
  const ann: User = {
    id: "01987654-3210-7000-8000-000000000001",
    email: "ann@example.test",
    name: "Ann",
    picture: null,
    role: "USER",
    createdAt: new Date(0),
  };
  const bob: User = { ...ann, id: "01987654-3210-7000-8000-000000000002" };

  // No field leads to another user today. These checks protect the fields if one is added.
  it("shows neither limits nor QueuedJobs", async () => {
    const resolver = new UserResolver();
    const context = { user: ann } as Context;
    const hidden = {
      code: "FORBIDDEN",
      message: "This field is visible only to the user and to admins.",
    };
    await assert.rejects(resolver.limits(bob, context), hidden);
    await assert.rejects(
      resolver.queuedJobs(
        bob,
        { first: null, after: null },
        null,
        context,
        {} as GraphQLResolveInfo,
      ),
      hidden,
    );
  });
});
