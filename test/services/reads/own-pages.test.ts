import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { inTransaction } from "../../../src/db/database.js";
import {
  createOwnPages,
  type OwnPage,
  type QueuedJobPage,
} from "../../../src/services/reads/own-pages.js";
import { FIRST_ID } from "../../../src/services/reads/ids.js";
import { LAST_ID } from "../../../src/services/reads/list-scan.js";
import type { PageRange } from "../../../src/services/reads/page.js";
import type { User } from "../../../src/services/users/users.js";
import { desynchronised } from "../../support/stores/desynchronised.js";
import { refusalOf } from "../../support/asserts/refusal-of.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const FIRST_PAGE = { size: 20, backward: false, key: null };

describe("pages requested at the same time", () => {
  let services: TestServices;
  let user: User;
  let other: User;
  let statements = 0;
  let read: (page: OwnPage) => Promise<QueuedJobPage>;
  before(async () => {
    services = await createTestServices();
    const { sql } = services.database;
    // Fragments are calls too, so only the text with unnest counts as a statement.
    const counted = new Proxy(sql, {
      apply: (target, self, args) => (
        String(args[0]).includes("unnest") && statements++,
        Reflect.apply(target, self, args)
      ),
    });
    read = createOwnPages({ ...services.database, sql: counted });
  });
  beforeEach(async () => {
    [user, other] = await Promise.all([services.newUser(), services.newUser()]);
    statements = 0;
  });
  after(() => services.close());
  const pageOf = ({ id }: { id: string }, more: Partial<OwnPage> = {}) =>
    read({ userId: id, ...FIRST_PAGE, ...more });
  const idsOf = ({ rows }: QueuedJobPage) => rows.map(({ id }) => id);

  it("are read with one statement, and each equals the page read alone", async () => {
    const [mine, theirs] = [
      await services.submitMany(user, [{}, {}, {}]),
      await services.submitMany(other, [{}]),
    ];
    const own = mine.map(({ id }) => id).toReversed();
    const [all, two, rest, ofOther, ofNobody, ofEmpty] = await Promise.all([
      pageOf(user),
      pageOf(user, { size: 2 }),
      pageOf(user, { key: own[1] ?? null }),
      pageOf(other),
      pageOf({ id: "ffffffff-ffff-7fff-8fff-ffffffffffff" }),
      pageOf(await services.newUser()),
    ]);
    assert.deepEqual([all, two, rest].map(idsOf), [own, own.slice(0, 2), own.slice(2)]);
    assert.deepEqual(
      [all, two, rest].map(({ hasPrevious, hasNext, lastSeq }) => [hasPrevious, hasNext, lastSeq]),
      [
        [false, false, 3],
        [false, true, 3],
        [true, false, 3],
      ],
    );
    assert.deepEqual([idsOf(ofOther), ofOther.lastSeq], [[theirs[0]?.id], 1]);
    assert.deepEqual(
      [ofNobody, ofEmpty],
      [
        { rows: [], hasPrevious: false, hasNext: false, lastSeq: 0 },
        { rows: [], hasPrevious: false, hasNext: false, lastSeq: 0 },
      ],
    );
  });

  it("of both directions take a statement each, whose flags are exact", async () => {
    await services.submitMany(other, [{}, {}]);
    const own = (await services.submitMany(user, [{}, {}, {}])).map(({ id }) => id).toReversed();
    await services.submitMany(other, [{}, {}]);
    const ranges: [PageRange, [ids: string[], hasPrevious: boolean, hasNext: boolean]][] = [
      [{ size: 2, backward: false, key: null }, [own.slice(0, 2), false, true]],
      [{ size: 2, backward: false, key: own[0] ?? null }, [own.slice(1), true, false]],
      [{ size: 2, backward: false, key: own[2] ?? null }, [[], true, false]],
      [{ size: 2, backward: false, key: FIRST_ID }, [[], true, false]],
      [{ size: 2, backward: false, key: LAST_ID }, [own.slice(0, 2), false, true]],
      [{ size: 2, backward: true, key: null }, [own.slice(1), true, false]],
      [{ size: 2, backward: true, key: own[2] ?? null }, [own.slice(0, 2), false, true]],
      [{ size: 1, backward: true, key: own[2] ?? null }, [own.slice(1, 2), true, true]],
      [{ size: 2, backward: true, key: own[0] ?? null }, [[], false, true]],
      [{ size: 2, backward: true, key: LAST_ID }, [[], false, true]],
      [{ size: 2, backward: true, key: FIRST_ID }, [own.slice(1), true, false]],
    ];
    const pages = await Promise.all(ranges.map(([range]) => pageOf(user, range)));
    assert.deepEqual(
      pages.map((page) => [idsOf(page), page.hasPrevious, page.hasNext]),
      ranges.map(([, expected]) => expected),
    );
    assert.deepEqual([statements, new Set(pages.map(({ lastSeq }) => lastSeq))], [4, new Set([3])]);
  });

  it("need one statement for at most 32 of them, which reads equal pages once", async () => {
    await services.submit(user);
    const same = await Promise.all(Array.from({ length: 32 }, () => pageOf(user)));
    assert.deepEqual([statements, new Set(same).size], [1, 1]);
    const different = await Promise.all(
      Array.from({ length: 50 }, (_, i) => pageOf(user, { size: i + 1 })),
    );
    assert.deepEqual(
      [statements, new Set(different.map((page) => idsOf(page).length)).size],
      [3, 1],
    );
  });

  it("share the next statement with all that arrive while one runs", async () => {
    const pages: Promise<QueuedJobPage>[] = [];
    await inTransaction(services.database.sql, async (tx) => {
      await tx`lock table user_streams in access exclusive mode`;
      for (let size = 1; size <= 5; size++) {
        pages.push(pageOf(user, { size }));
        await nextTurn();
      }
    });
    await Promise.all(pages);
    assert.equal(statements, 2);
  });

  it("are never older than their request", async () => {
    for (let i = 1; i <= 20; i++) {
      const [, earlier] = await Promise.all([services.submit(user), pageOf(user)]);
      const now = await pageOf(user);
      assert.deepEqual([now.rows.length, now.lastSeq, earlier.rows.length >= i - 1], [i, i, true]);
    }
  });

  it("never contain rows of another user or of another statement", async () => {
    const empty = await services.newUser();
    await services.submitMany(other, [{}, {}]);
    for (const from of [user.id, empty.id]) {
      for (const to of [other.id, (await services.newUser()).id, null]) {
        const { database, foreign } = desynchronised(services.database, { from, to });
        const reading = createOwnPages(database)({ userId: from, ...FIRST_PAGE });
        assert.deepEqual(await refusalOf(reading), {
          code: "SERVICE_UNAVAILABLE",
          message: "The database returned a wrong answer; try again in a moment.",
        });
        assert.equal(foreign.length, 1);
      }
    }
    assert.equal((await pageOf(other)).rows.length, 2);
  });

  it("fail alone when PostgreSQL refuses one of them", async () => {
    const asked = [pageOf(user), pageOf(user, { size: 2 ** 31 }), pageOf(other)];
    assert.deepEqual(
      (await Promise.allSettled(asked)).map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
  });
});
