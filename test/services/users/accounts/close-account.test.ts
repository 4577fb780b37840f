import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { closeAccount } from "../../../../src/services/users/accounts.js";
import type { Claims } from "../../../../src/services/users/bearers.js";
import { createUsers } from "../../../../src/services/users/users.js";
import { eventually } from "../../../support/runner/eventually.js";
import { outcomeOf } from "../../../support/asserts/outcome-of.js";
import { refusalOf } from "../../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../../support/service/test-services.js";

const GONE = { code: "UNAUTHENTICATED", message: "This account was deleted: sign in again." };

describe("a closed account", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());

  let people = 0;
  const now = Math.floor(Date.now() / 1000);
  const claimsOf = (more: Partial<Claims> = {}): Claims => ({
    issuer: "https://issuer.test",
    subject: `person ${++people}`,
    email: `ann${people}@example.test`,
    emailVerified: true,
    name: "Ann",
    picture: "https://example.test/ann.png",
    issuedAt: now - 100,
    admin: true,
    ...more,
  });
  /** A second instance, as in another process, with an empty cache. */
  const elsewhere = () => createUsers({ database: services.database, adminEmails: [] });
  const close = (id: string) => closeAccount(services.database, id);

  it("keeps no name, claims or counters, and is neither counted nor listed", async () => {
    const users = elsewhere();
    const user = await users.signIn(claimsOf());
    const before_ = await users.count(1000);
    assert.equal(await close(user.id), true);
    const [row] = await services.database
      .sql`select issuer, subject, email, email_verified, name, picture, admin,
        claims_issued_at::int, closed_at > now() - interval '1 minute' as closed from users
        where id = ${user.id}`;
    assert.deepEqual(
      { ...row },
      {
        issuer: "",
        subject: user.id,
        email: "",
        email_verified: false,
        name: "",
        picture: null,
        admin: false,
        claims_issued_at: 0,
        closed: true,
      },
    );
    assert.equal(
      (await services.database.sql`select from user_streams where user_id = ${user.id}`).length,
      0,
    );
    assert.deepEqual(
      [
        await users.findMany([user.id]),
        await users.count(1000),
        (await users.page({ size: 100, backward: false, key: null })).rows.some(
          ({ id }) => id === user.id,
        ),
      ],
      [[null], before_ - 1, false],
    );
    assert.deepEqual(
      (await users.findOwners([user.id])).map((owner) => [
        owner?.id,
        owner?.email,
        owner?.name,
        owner?.role,
      ]),
      [[user.id, "", "", "USER"]],
    );
    assert.deepEqual(await refusalOf(users.refresh(user, claimsOf())), GONE);
  });

  it("leaves no name in the list of deleted accounts", async () => {
    const claims = claimsOf();
    await close((await elsewhere().signIn(claims)).id);
    const text = JSON.stringify([...(await services.database.sql`select * from deleted_accounts`)]);
    assert.doesNotMatch(text, /person|ann|issuer/);
    assert.match(text, /"[0-9a-f]{64}"/);
  });

  it("refuses older tokens in every process, also after a new account exists", async () => {
    const claims = claimsOf();
    const { id } = await elsewhere().signIn(claims);
    await close(id);
    const [row] = await services.database.sql<
      { second: number }[]
    >`select floor(extract(epoch from closed_at))::int as second from users where id = ${id}`;
    const second = row?.second ?? 0;
    for (const issuedAt of [0, second - 1, second])
      assert.deepEqual(
        await refusalOf(elsewhere().signIn({ ...claims, issuedAt })),
        GONE,
        String(issuedAt),
      );
    const again = await elsewhere().signIn({ ...claims, issuedAt: second + 1 });
    assert.notEqual(again.id, id);
    for (const issuedAt of [0, second])
      assert.deepEqual(
        await refusalOf(elsewhere().signIn({ ...claims, issuedAt })),
        GONE,
        String(issuedAt),
      );
    assert.equal((await elsewhere().signIn({ ...claims, issuedAt: second + 2 })).id, again.id);
  });

  it("reads the database only once for a refused token", async () => {
    const claims = claimsOf();
    const users = elsewhere();
    await close((await users.signIn(claims)).id);
    assert.deepEqual(await refusalOf(elsewhere().signIn(claims)), GONE);
    const refusing = elsewhere();
    await refusalOf(refusing.signIn(claims));
    await services.database.sql`delete from deleted_accounts`;
    assert.deepEqual(await refusalOf(refusing.signIn(claims)), GONE);
  });

  it("is closed once when it is closed twice at the same time", async () => {
    const { id } = await elsewhere().signIn(claimsOf());
    const { sql } = services.database;
    let closing: Promise<boolean>[] = [];
    await sql.begin(async (tx) => {
      await tx`select from user_streams where user_id = ${id} for update`;
      closing = [close(id), close(id)];
      await eventually(
        "both wait",
        async () =>
          (
            await sql`select from pg_stat_activity where datname = current_database()
              and wait_event_type = 'Lock'`
          ).length === 2,
      );
    });
    assert.deepEqual((await Promise.all(closing)).toSorted(), [false, true]);
    assert.equal(await close(id), false);
  });

  it("records no submission, claim or outcome any more, neither alone nor in a batch", async () => {
    const [user, other] = [await services.newUser(), await services.newUser()];
    const claimed = await services.start(await services.submit(user));
    const [waiting, failed] = [await services.submit(user), await services.submit(user)];
    await services.queuedJobs.cancel(user, failed.id);
    const photo = await services.newPhoto(user);
    await close(user.id);
    const published = services.published.length;
    assert.deepEqual(
      await refusalOf(
        services.queuedJobs
          .enqueue(user.id, { submissions: [], requestId: "r", single: false })
          .then(() => services.submit(user)),
      ),
      GONE,
    );
    assert.deepEqual(
      [
        await services.queuedJobs.succeed(claimed, null, []),
        await services.queuedJobs.fail(claimed, { code: "X", message: "x", permanent: false }),
      ],
      [false, null],
    );
    const output = {
      name: "a",
      mimeType: "text/plain",
      byteSize: 1,
      width: null,
      height: null,
      storageKey: "k",
    };
    assert.equal(await services.queuedJobs.succeed(claimed, null, [output]), false);
    const beside = await services.submit(other);
    const both = await Promise.all(
      [waiting, beside].map(({ id }) => services.queuedJobs.start({ id, run: 1, worker: "w" })),
    );
    assert.deepEqual(
      both.map((one) => one?.id),
      [undefined, beside.id],
    );
    await services.database.sql`update queued_jobs set lease_until = now() - interval '1 minute'
        where id = ${claimed.id}`;
    assert.equal(await services.queuedJobs.takeOverLapsed(10), 0);
    assert.deepEqual(
      await outcomeOf(services.newPhoto(user, { sha256: "other" })),
      "UNAUTHENTICATED",
    );
    assert.deepEqual(
      services.published.slice(published).filter(({ queuedJob }) => queuedJob.userId === user.id),
      [],
    );
    assert.ok(photo);
  });

  it("is closed beside accepts and sign-ins without a deadlock", async () => {
    const deadlocks = async () =>
      Number(
        (
          await services.database.sql`select deadlocks::int as n from pg_stat_database
                where datname = current_database()`
        )[0]?.["n"],
      );
    const before_ = await deadlocks();
    for (let round = 0; round < 8; round++) {
      const claims = claimsOf({ admin: false });
      const user = await elsewhere().signIn(claims);
      await Promise.all([
        ...Array.from({ length: 4 }, () => outcomeOf(services.submit(user))),
        ...Array.from({ length: 4 }, (_, i) =>
          outcomeOf(elsewhere().signIn({ ...claims, issuedAt: claims.issuedAt + 1 + i })),
        ),
        close(user.id),
        outcomeOf(services.newPhoto(user)),
      ]);
      const open = await services.database.sql`select id from users where issuer = ${claims.issuer}
            and subject = ${claims.subject}`;
      assert.deepEqual([...open], []);
      assert.equal(
        (await services.database.sql`select from user_streams where user_id = ${user.id}`).length,
        0,
      );
    }
    await services.database.sql`select pg_stat_force_next_flush()`;
    assert.equal(await deadlocks(), before_);
  });
});
