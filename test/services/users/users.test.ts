import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import type { Claims } from "../../../src/services/users/bearers.js";
import type { Page } from "../../../src/services/reads/page.js";
import { createUsers, type User } from "../../../src/services/users/users.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createTestDatabase, type TestDatabase } from "../../support/stores/test-database.js";
import { waitsForLock } from "../../support/stores/waits-for-lock.js";

describe("users", () => {
  let store: TestDatabase;
  before(async () => {
    store = await createTestDatabase();
  });
  after(() => store.close());

  let people = 0;
  const claimsOf = (more: Partial<Claims> = {}): Claims => ({
    issuer: "https://issuer.test",
    subject: `person ${++people}`,
    email: "ann@example.test",
    emailVerified: true,
    name: "Ann",
    picture: "https://example.test/ann.png",
    issuedAt: 1000,
    admin: false,
    ...more,
  });
  /** A second instance, as in another process, with an empty cache. */
  const elsewhere = (...adminEmails: string[]) =>
    createUsers({ database: store.database, adminEmails });
  const rowsOf = (subject: string) =>
    store.database.sql`select u.id from users u join user_streams s on s.user_id = u.id
        where subject = ${subject}`;

  it("are created at the first sign-in, with a counter", async () => {
    const claims = claimsOf();
    const user = await elsewhere().signIn(claims);
    assert.deepEqual(user, {
      id: user.id,
      email: "ann@example.test",
      name: "Ann",
      picture: "https://example.test/ann.png",
      role: "USER",
      createdAt: user.createdAt,
    });
    assert.ok(
      user.createdAt instanceof Date && Math.abs(user.createdAt.getTime() - Date.now()) < 60_000,
    );
    assert.deepEqual(
      (await rowsOf(claims.subject)).map((row) => row["id"]),
      [user.id],
    );
    assert.deepEqual(await elsewhere().counters(user.id), { pending: 0, storedBytes: 0 });
  });

  it("are created once for ten concurrent tokens, in one process or several", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    const seen = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i < 5 ? users : elsewhere()).signIn({ ...claims, issuedAt: 1000 + (i % 3) }),
      ),
    );
    assert.equal(new Set(seen.map(({ id }) => id)).size, 1);
    assert.equal((await rowsOf(claims.subject)).length, 1);
  });

  it("are identified by issuer and subject together", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    const [ann, sameSubject, sameEmail] = [
      await users.signIn(claims),
      await users.signIn({ ...claims, issuer: "https://other.test" }),
      await users.signIn({ ...claims, subject: "another" }),
    ];
    assert.equal(new Set([ann.id, sameSubject.id, sameEmail.id]).size, 3);
  });

  it("are updated by a newer token", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    const { id } = await users.signIn(claims);
    const changed = {
      ...claims,
      email: "new@example.test",
      name: "Ann B",
      picture: null,
      issuedAt: 1001,
    };
    const user = await users.signIn(changed);
    assert.deepEqual(
      [user.id, user.email, user.name, user.picture],
      [id, "new@example.test", "Ann B", null],
    );
    assert.deepEqual(await elsewhere().findMany([id]), [user]);
  });

  it("are not updated by an older token, or by another one of the same second", async () => {
    const claims = claimsOf({ issuedAt: 2000 });
    const first = await elsewhere().signIn(claims);
    for (const issuedAt of [1999, 2000, 0])
      assert.deepEqual(
        await elsewhere().signIn({ ...claims, name: "Old", email: "old@example.test", issuedAt }),
        first,
      );
    assert.deepEqual(await elsewhere().findMany([first.id]), [first]);
  });

  it("end with the claims of the newest token when several arrive at once", async () => {
    const claims = claimsOf();
    await Promise.all(
      [5, 3, 9, 1, 7].map((age) =>
        elsewhere().signIn({ ...claims, name: `Name ${age}`, issuedAt: 1000 + age }),
      ),
    );
    const [row] = await store.database
      .sql`select name from users where subject = ${claims.subject}`;
    assert.equal(row?.["name"], "Name 9");
  });

  it("are read once from the database while their token is cached", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    const { id } = await users.signIn(claims);
    await store.database.sql`update users set name = 'Changed' where id = ${id}`;
    assert.equal((await users.signIn(claims)).name, "Ann");
    users.forget(id);
    assert.equal((await users.signIn(claims)).name, "Changed");
  });

  it("are created again by a valid token after a deletion and a clean cache", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    const { id } = await users.signIn(claims);
    await store.database.sql`delete from users where id = ${id}`;
    users.forget(id);
    assert.notEqual((await users.signIn(claims)).id, id);
  });

  it("are the same on refresh, never created by it, and refused after a deletion", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    const user = await users.signIn(claims);
    await store.database.sql`update users set name = 'Changed' where id = ${user.id}`;
    assert.equal((await users.refresh(user, claims)).name, "Ann", "while it is cached");
    users.forget(user.id);
    assert.equal((await users.refresh(user, claims)).name, "Changed");
    await store.database.sql`delete from users where id = ${user.id}`;
    assert.deepEqual(await refusalOf(users.refresh(user, claims)), {
      code: "UNAUTHENTICATED",
      message: "This account was deleted: sign in again.",
    });
    const next = await users.signIn(claims);
    assert.deepEqual(
      await refusalOf(users.refresh(user, claims)),
      { code: "UNAUTHENTICATED", message: "This account was deleted: sign in again." },
      "although the token has a new user",
    );
    assert.notEqual(next.id, user.id);
  });

  it("are not cached when they were forgotten during the read", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    const { sql } = store.database;
    const { id } = await users.signIn(claims);
    users.forget(id);
    let reading: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`lock table users in access exclusive mode`;
      reading = users.signIn(claims);
      await waitsForLock(sql);
      users.forget(id);
    });
    await reading;
    await sql`delete from users where id = ${id}`;
    assert.notEqual((await users.signIn(claims)).id, id);
  });

  describe("as admins", () => {
    const roleOf = (more: Partial<Claims>, ...adminEmails: string[]) =>
      elsewhere(...adminEmails)
        .signIn(claimsOf(more))
        .then(({ role }) => role);

    it("are those with a listed and verified e-mail, in any case", async () => {
      assert.equal(await roleOf({ email: "Boss@Example.Test" }, "boss@example.test"), "ADMIN");
      assert.equal(
        await roleOf({ email: "boss@example.test", emailVerified: false }, "boss@example.test"),
        "USER",
      );
      assert.equal(
        await roleOf({ email: "boss@example.test.evil.test" }, "boss@example.test"),
        "USER",
      );
      assert.equal(await roleOf({ email: "boss@example.test" }), "USER");
    });

    it("are those with the development claim", async () =>
      assert.equal(await roleOf({ admin: true }), "ADMIN"));

    it("lose their rights with the next operation after their removal from the list", async () => {
      const claims = claimsOf({ email: "boss@example.test" });
      const { id } = await elsewhere("boss@example.test").signIn(claims);
      assert.equal((await elsewhere().signIn(claims)).role, "USER");
      assert.deepEqual(
        (await elsewhere().findMany([id])).map((user) => user?.role),
        ["USER"],
      );
    });

    it("are read each time, so that a token without the rights ends them", async () => {
      const claims = claimsOf({ email: "boss@example.test" });
      const users = elsewhere("boss@example.test");
      assert.equal((await users.signIn(claims)).role, "ADMIN");
      await elsewhere("boss@example.test").signIn({
        ...claims,
        email: "former@example.test",
        issuedAt: 1001,
      });
      assert.equal((await users.signIn(claims)).role, "USER");
    });

    it("lose the rights of the development claim with a newer token without it", async () => {
      const claims = claimsOf({ admin: true });
      const users = elsewhere();
      assert.equal((await users.signIn(claims)).role, "ADMIN");
      assert.equal((await users.signIn({ ...claims, admin: false, issuedAt: 1001 })).role, "USER");
      assert.equal((await users.signIn(claims)).role, "USER");
    });
  });

  it("are returned in the requested order, with null and with repeats", async () => {
    const users = elsewhere();
    const [a, b] = [await users.signIn(claimsOf()), await users.signIn(claimsOf())];
    assert.deepEqual(await users.findMany([b.id, uuidv7(), a.id, b.id]), [b, null, a, b]);
    assert.deepEqual(await users.findMany([]), []);
    const many = await users.findMany(
      Array.from({ length: 70_000 }, (_, i) => (i % 70 === 0 ? a.id : uuidv7())),
    );
    assert.deepEqual(
      [many.length, many.filter((user) => user?.id === a.id).length],
      [70_000, 1000],
    );
  });

  it("have zero counters when no such user exists", async () => {
    assert.deepEqual(await elsewhere().counters(uuidv7()), { pending: 0, storedBytes: 0 });
  });

  it("are paged oldest first, each once, and counted up to a maximum", async () => {
    const users = elsewhere();
    for (let i = 0; i < 5; i++) await users.signIn(claimsOf());
    const total = await users.count(10_000);
    const walk = async (backward: boolean) => {
      const pages: string[][] = [];
      for (let key: string | null = null, goesOn = true; goesOn;) {
        const page: Page<User> = await users.page({ size: 3, backward, key });
        const [ahead, behind] = backward
          ? [page.hasPrevious, page.hasNext]
          : [page.hasNext, page.hasPrevious];
        assert.equal(behind, key !== null);
        pages.push(page.rows.map(({ id }) => id));
        key = page.rows.at(backward ? 0 : -1)?.id ?? null;
        goesOn = ahead;
      }
      return (backward ? pages.toReversed() : pages).flat();
    };
    const ids = await walk(false);
    assert.deepEqual([ids.length, new Set(ids).size, ids], [total, total, ids.toSorted()]);
    assert.deepEqual(await walk(true), ids);
    assert.deepEqual(
      [await users.count(2), await users.count(total), await users.count(total + 1)],
      [2, total, total],
    );
  });
});
