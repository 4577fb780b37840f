import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { catalogue } from "../../src/tasks/catalogue.js";
import { temporaryFolder } from "../imaging/temporary-folder.js";
import { runBin } from "../support/processes/run-bin.js";
import { writeOutsideTasks } from "../support/service/outside-tasks.js";
import { createEmptyDatabase } from "../support/stores/test-database.js";

describe("npm run migrate", { concurrency: 2 }, () => {
  const cwd = temporaryFolder().path;
  const run = (url: string) => runBin("migrate", { cwd, env: { DATABASE_URL: url } });
  const server = new URL(process.env["TEST_DATABASE_URL"] ?? "");
  const at = `The PostgreSQL at ${server.hostname}:${server.port}`;

  it("migrates an empty database, and reports it", async () => {
    const empty = await createEmptyDatabase();
    const { code, stdout, stderr } = await run(empty.url);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^The database is up to date, and the catalogue has \d+ Jobs\.\n$/);
    await empty.close();
  });

  it("adds the Jobs of TASKS, and ends although a task has left a timer running", async () => {
    const tasks = join(cwd, "tasks");
    writeOutsideTasks(tasks, { lasting: { also: "setInterval(() => {}, 1000);" } });
    const empty = await createEmptyDatabase();
    const env = { DATABASE_URL: empty.url, TASKS: "tasks" };
    const { code, stdout } = await runBin("migrate", { cwd, env });
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`has ${catalogue.size + 1} Jobs\\.\\n$`));
    await empty.close();
  });

  for (const [state, url, sentence] of [
    [
      "is unavailable",
      "postgres://user:a-secret@127.0.0.1:1/photos",
      "The PostgreSQL at 127.0.0.1:1 cannot be reached (ECONNREFUSED): start it, or " +
        "correct DATABASE_URL",
    ],
    [
      "is unavailable under a name with several addresses",
      "postgres://user:a-secret@localhost:1/photos",
      "The PostgreSQL at localhost:1 cannot be reached (ECONNREFUSED): start it, or " +
        "correct DATABASE_URL",
    ],
    [
      "rejects the password",
      Object.assign(new URL(server), { password: "a-secret" }).href,
      `${at} refuses the user or the password of DATABASE_URL: correct them, or set that ` +
        "password on the server",
    ],
    [
      "does not have the database",
      Object.assign(new URL(server), { pathname: "/not%20there" }).href,
      `${at} has no database "not there": create it (createdb 'not there'), or correct ` +
        "DATABASE_URL",
    ],
  ] as const) {
    it(`says what to do when PostgreSQL ${state}`, async () => {
      assert.deepEqual(await run(url), {
        code: 1,
        stdout: "",
        stderr: `The configuration has a fault:\n  - ${sentence}\n`,
      });
    });
  }
});
