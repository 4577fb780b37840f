import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createUsers, type Users } from "../../src/services/users/users.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/processes/run-bin.js";
import { createTestDatabase, type TestDatabase } from "../support/stores/test-database.js";
import { testRedis } from "../support/stores/test-redis.js";

describe("the command delete-user", { concurrency: 2 }, () => {
  const cwd = temporaryFolder().path;
  let store: TestDatabase;
  let users: Users;
  before(async () => {
    store = await createTestDatabase();
    users = createUsers({ database: store.database, adminEmails: [] });
  });
  after(() => store.close());
  const run = (...args: string[]) =>
    runBin("delete-user", {
      cwd,
      args,
      env: {
        DATABASE_URL: store.url,
        REDIS_URL: testRedis().url,
        STORAGE_URL: `file:${join(cwd, "photos")}`,
      },
    });
  const signIn = (issuer: string, email: string) =>
    users.signIn({
      issuer,
      subject: "s",
      email,
      emailVerified: true,
      name: "N",
      picture: null,
      issuedAt: 1,
      admin: false,
    });
  const exists = async (...ids: string[]) =>
    (await users.findMany(ids)).map((user) => user !== null);

  it("deletes only the user with the e-mail", async () => {
    const [ann, bob] = [
      await signIn("https://a.test", "Ann@example.test"),
      await signIn("https://a2.test", "bob@example.test"),
    ];
    assert.deepEqual(await run("--email", "ann@example.test", "--yes"), {
      code: 0,
      stderr: "",
      stdout:
        `Deleted Ann@example.test, s of https://a.test, id ${ann.id}, with all photos, jobs ` +
        "and files.\n",
    });
    assert.deepEqual(await exists(ann.id, bob.id), [false, true]);
    assert.deepEqual(await run("--email", "ann@example.test"), {
      code: 1,
      stdout: "",
      stderr: "No user has the e-mail ann@example.test; nothing was deleted.\n",
    });
  });

  it("shows what would be deleted, and deletes nothing without an answer", async () => {
    const { id } = await signIn("https://d.test", "eve@example.test");
    const sentence = `eve@example.test, s of https://d.test, id ${id}: 0 photos, 2 jobs (2 unfinished), 1.5 MB`;
    await store.database.sql`update user_streams set stored_bytes = 1500000, pending = 2
      where user_id = ${id}`;
    await store.database.sql`
      insert into queued_jobs (id, user_id, job_name, parameters, photo_count, priority,
        request_id, due_at, created_at, updated_at, status)
      select gen_random_uuid(), ${id}, 'echo', '{}', 0, 0, 'r', now(), now(), now(), 'PENDING'
        from generate_series(1, 2)`;
    assert.deepEqual(await run("--email", "eve@example.test", "--dry-run"), {
      code: 0,
      stdout: `Would delete ${sentence}.\n`,
      stderr: "",
    });
    assert.deepEqual(await run("--email", "eve@example.test"), {
      code: 1,
      stdout: "",
      stderr:
        `${sentence}.\nNothing was deleted, because this is not a terminal: add --yes to delete ` +
        "it, or --dry-run to only look.\n",
    });
    assert.deepEqual(await exists(id), [true]);
  });

  it("lists the users when several issuers have one e-mail, and then accepts an id", async () => {
    const [one, other] = [
      await signIn("https://b.test", "two@example.test"),
      await signIn("https://c.test", "two@example.test"),
    ];
    const { code, stdout, stderr } = await run("--email", "two@example.test");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^2 users have this e-mail, so nothing was deleted; choose one of them with --id:/,
    );
    for (const [id, issuer] of [
      [one.id, "https://b.test"],
      [other.id, "https://c.test"],
    ])
      assert.ok(
        stderr.includes(`--id ${id}   two@example.test, s of ${issuer}, id ${id}\n`),
        stderr,
      );
    assert.deepEqual(await exists(one.id, other.id), [true, true]);
    assert.equal((await run("--id", other.id, "--yes")).code, 0);
    assert.deepEqual(await exists(one.id, other.id), [true, false]);
  });

  for (const [args, fault] of [
    [[], "Give either --email or --id."],
    [["--email", "a@b.c", "--id", "x"], "Give either --email or --id."],
    [["--id", "x"], "--id is not a UUID."],
  ] as const) {
    it(`prints its usage for ${args.join(" ") || "no arguments"}`, async () => {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.ok(
        stderr.startsWith(`Invalid arguments: ${fault}\n\nUsage: node dist/bin/delete-user.js `),
        stderr,
      );
    });
  }
});
