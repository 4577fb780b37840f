import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createAccounts } from "../../../src/services/users/accounts.js";
import type { Claimed } from "../../../src/services/queued-jobs/claim.js";
import type { User } from "../../../src/services/users/users.js";
import { assertConsistent } from "../../support/asserts/assert-consistent.js";
import { eventually } from "../../support/runner/eventually.js";
import { outcomeOf } from "../../support/asserts/outcome-of.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { silentLog } from "../../support/runner/silent-log.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";
import { waitsForLock } from "../../support/stores/waits-for-lock.js";

describe("deleting an account", () => {
  let services: TestServices;
  before(async () => {
    services = await createTestServices();
  });
  after(() => services.close());
  const gone: string[] = [];
  const stopped: string[] = [];
  const deleted: string[] = [];
  const accounts = (deleteFiles = async (keys: string[]) => void deleted.push(...keys)) =>
    createAccounts({
      database: services.database,
      users: services.users,
      deleteFiles,
      stopWork: (ids) => void stopped.push(...ids),
      publishGone: async (userId) => void gone.push(userId),
      log: silentLog,
    });
  const outputOf = ({ id }: Claimed) => ({
    name: "a",
    mimeType: "text/plain",
    byteSize: 3,
    width: null,
    height: null,
    storageKey: `outputs/${id}`,
  });
  const countRows = async (user: User) =>
    Number(
      (
        await services.database.sql`
    select (select count(*) from users where id = ${user.id}) + (select count(*) from user_streams
      where user_id = ${user.id}) + (select count(*) from photos where user_id = ${user.id})
      + (select count(*) from queued_jobs where user_id = ${user.id}) + (select count(*)
      from queued_job_events where user_id = ${user.id})
      + (select count(*) from queued_job_outputs o where not exists (select from queued_jobs q
      where q.id = o.queued_job_id)) as n`
      )[0]?.["n"],
    );

  it("removes the rows, events and files of this user only", async () => {
    const [user, other] = [await services.newUser(), await services.newUser()];
    await services.newPhoto(user, { storageKey: "photo", previewKey: "preview" });
    const claimed = await services.start(await services.submit(user));
    await services.queuedJobs.succeed(claimed, null, [outputOf(claimed)]);
    await services.submit(user);
    await services.finished(other);
    const before_ = await services.everythingOf(other);
    await accounts().remove(user.id);
    assert.equal(await countRows(user), 0);
    assert.deepEqual(deleted.toSorted(), [`outputs/${claimed.id}`, "photo", "preview"]);
    assert.deepEqual(await services.everythingOf(other), before_);
    assert.deepEqual(gone, [user.id], "the sockets are notified");
  });

  it("leaves running attempts without a row to write to", async () => {
    const user = await services.newUser();
    const claimed = await services.start(await services.submit(user));
    const waiting = await services.submit(user);
    const eventCount = services.published.length;
    await accounts().remove(user.id);
    assert.deepEqual(
      [stopped.includes(claimed.id), stopped.includes(waiting.id)],
      [true, false],
      "the worker is notified",
    );
    assert.deepEqual(
      [
        await services.queuedJobs.succeed(claimed, null, [outputOf(claimed)]),
        await services.queuedJobs.progress(claimed, 1, null),
        await services.queuedJobs.renewLeases("worker", [claimed]),
      ],
      [false, false, new Set()],
    );
    assert.deepEqual([await countRows(user), services.published.length], [0, eventCount]);
  });

  it("refuses older tokens at once, and makes a new User for a newer token", async () => {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      issuer: "test",
      subject: "phoenix",
      email: "p@example.test",
      emailVerified: true,
      name: "P",
      picture: null,
      issuedAt: now,
      admin: false,
    };
    const user = await services.users.signIn(claims);
    await accounts().remove(user.id);
    assert.equal((await refusalOf(services.users.signIn(claims))).code, "UNAUTHENTICATED");
    const again = await services.users.signIn({ ...claims, issuedAt: now + 60 });
    assert.notEqual(again.id, user.id);
    assert.equal((await services.submit(again)).version, 1);
    assert.equal(
      (await refusalOf(services.users.signIn(claims))).code,
      "UNAUTHENTICATED",
      "although a new account exists",
    );
  });

  it("finds accounts by e-mail in any case, of every issuer, and by id", async () => {
    const claims = {
      subject: "twin",
      email: "Twin@Example.test",
      emailVerified: true,
      name: "T",
      picture: null,
      issuedAt: 1,
      admin: false,
    };
    const [one, other] = [
      await services.users.signIn({ ...claims, issuer: "a" }),
      await services.users.signIn({ ...claims, issuer: "b", emailVerified: false }),
    ];
    const both = [
      { id: one.id, issuer: "a", subject: "twin", email: "Twin@Example.test", emailVerified: true },
      {
        id: other.id,
        issuer: "b",
        subject: "twin",
        email: "Twin@Example.test",
        emailVerified: false,
      },
    ];
    assert.deepEqual(await accounts().find({ email: "twin@example.TEST" }), both);
    assert.deepEqual(await accounts().find({ id: other.id }), both.slice(1));
    assert.deepEqual(await accounts().find({ email: "twin@example" }), []);
  });

  it("may be done twice", async () => {
    const user = await services.newUser();
    await Promise.all([accounts().remove(user.id), accounts().remove(user.id)]);
    assert.equal(await countRows(user), 0);
  });

  it("succeeds while the storage is unavailable", async () => {
    const user = await services.newUser();
    await services.newPhoto(user);
    await accounts(() => Promise.reject(new Error("the disk is gone"))).remove(user.id);
    assert.equal(await countRows(user), 0);
  });

  it("removes all files of a photo, its images too", async () => {
    const user = await services.newUser();
    const files = { storageKey: "bytes", previewKey: "preview" };
    const { id } = await services.newPhoto(user, files);
    const { sql } = services.database;
    await sql`update photos set renditions = '{64.jpg,64.webp}' where id = ${id}`;
    await services.newPhoto(user, { storageKey: "other" });
    deleted.length = 0;
    await accounts().remove(user.id);
    const images = ["64.jpg", "64.webp"].map((name) => `renditions/${user.id}/${id}/${name}`);
    assert.deepEqual(deleted.toSorted(), ["bytes", "other", "preview", ...images]);
  });

  it("waits for an upload that is being recorded, and removes its file too", async () => {
    const user = await services.newUser();
    const { sql } = services.database;
    deleted.length = 0;
    let removing: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`update user_streams set stored_bytes = stored_bytes + 1 where user_id = ${user.id}`;
      await tx`insert into photos (id, user_id, filename, mime_type, width, height, byte_size,
        sha256, storage_key, created_at) values (gen_random_uuid(), ${user.id}, 'a', 'image/png', 1,
        1, 1, 'x', 'late', now())`;
      removing = accounts().remove(user.id);
      await waitsForLock(sql);
    });
    await removing;
    assert.deepEqual([deleted, await countRows(user)], [["late"], 0]);
  });

  it("during other work of the user leaves neither rows nor files behind", async () => {
    for (let round = 0; round < 3; round++) {
      const user = await services.newUser();
      deleted.length = 0;
      const claims: Claimed[] = [];
      for (let i = 0; i < 6; i++) claims.push(await services.start(await services.submit(user)));
      const kept: string[] = [];
      const succeed = async (claimed: Claimed) =>
        (await services.queuedJobs.succeed(claimed, null, [outputOf(claimed)])) &&
        kept.push(`outputs/${claimed.id}`);
      const upload = async (storageKey: string) => {
        const outcome = await outcomeOf(services.newPhoto(user, { storageKey }));
        if (outcome === "done") kept.push(storageKey);
        return outcome;
      };
      const [outcomes] = await Promise.all([
        Promise.all(
          claims.flatMap((_, i) => [
            outcomeOf(services.submit(user)),
            upload(`photo ${round} ${i}`),
          ]),
        ),
        Promise.all(claims.map(succeed)),
        accounts().remove(user.id),
      ]);
      // The erasure skips rows that are locked and leaves them to maintenance.
      await eventually("all is erased", () => accounts().erase(user.id, { forMs: 1000 }));
      assert.equal(await countRows(user), 0);
      assert.deepEqual(deleted.toSorted(), kept.toSorted());
      assert.deepEqual(
        outcomes.filter((outcome) => !["done", "UNAUTHENTICATED"].includes(outcome)),
        [],
      );
    }
  });

  it("leaves counters, numbers and events of the other users consistent", () =>
    assertConsistent(services.database.sql));
});
