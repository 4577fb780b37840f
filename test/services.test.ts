// Tests what decision 21 promises: users can be moved to several databases, since a statement
// names one user, a batch of users or rows by their keys. Exceptions are listed there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { filesWith } from "./support/asserts/read-sources.js";
import { countUnbound, unboundIn, USER_TABLES } from "./support/asserts/read-statements.js";

const RECORD = "src/decisions/0021-shards-by-user.md";

describe("the statements of the services", () => {
  it("name a user or a row for each table of users, except those that decision 21 lists", () => {
    const listed = [...readFileSync(RECORD, "utf8").matchAll(/^\| `([\w/.-]+)` \| (\d+) \|/gm)];
    assert.deepEqual(
      Object.fromEntries(countUnbound()),
      Object.fromEntries(listed.map(([, path = "", count]) => [path, Number(count)])),
    );
  });

  it("are found to join two users' rows where they do", () => {
    const ofUser = "select from photos p where p.user_id = ${userId}";
    assert.deepEqual(unboundIn(ofUser), []);
    assert.deepEqual(unboundIn(`${ofUser} and exists (select from users u where u.id = $2)`), []);
    const joins: [statement: string, unbound: string[]][] = [
      ["select from photos a join photos b on b.sha256 = a.sha256 where a.id = $1", ["photos b"]],
      ["select from photos a, photos b where a.user_id = $1", ["photos b"]],
      ["select from photos a, (select phash from photos) b where a.id = $1", ["photos"]],
      ["update photos set name = 'x' where exists (select from users where id = $1)", ["photos"]],
      ["select from queued_jobs where status = 'PENDING' order by id", ["queued_jobs"]],
      ["select from i join user_streams u on i.rank = u.last_seq", ["user_streams u"]],
    ];
    for (const [statement, unbound] of joins)
      assert.deepEqual(
        unboundIn(statement).map((text) => text.replace(/^(\w+|,)\s+/, "")),
        unbound,
        statement,
      );
    assert.ok(USER_TABLES.length >= 11);
  });

  it("use the query builder for photos and the catalogue only", () => {
    assert.deepEqual(
      filesWith(/\borm\b/).filter((path) => path.startsWith("services/")),
      ["services/jobs/jobs.ts", "services/photos/photos.ts"],
    );
  });
});
