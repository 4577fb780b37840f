import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { v7 as uuidv7 } from "uuid";
import {
  createQueuedJobReads,
  type QueuedJobReads,
} from "../../../src/services/reads/queued-job-reads.js";
import type { ListScope } from "../../../src/services/reads/list-scan.js";
import type { User } from "../../../src/services/users/users.js";
import { createTestServices, type TestServices } from "../../support/service/test-services.js";

const NO_ROWS = { rows: [], hasPrevious: false, hasNext: false };

describe("lists of QueuedJobs", () => {
  let services: TestServices;
  let reads: QueuedJobReads;
  let user: User;
  before(async () => {
    services = await createTestServices();
    reads = createQueuedJobReads(services.database);
  });
  beforeEach(async () => {
    user = await services.newUser();
  });
  after(() => services.close());
  const scope = (more: Partial<ListScope> = {}): ListScope => ({
    userId: user.id,
    photoId: null,
    filter: { statuses: null, jobs: null },
    ...more,
  });
  const page = (
    more: Partial<ListScope> = {},
    query: Partial<Parameters<QueuedJobReads["page"]>[1]> = {},
  ) =>
    reads.page(scope(more), { readerId: user.id, size: 100, backward: false, key: null, ...query });
  const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);

  describe("a page", () => {
    it("is sorted newest first, continues, and shows whether more follow", async () => {
      const made = idsOf(await services.submitMany(user, [{}, {}, {}, {}, {}])).toReversed();
      const first = await page({}, { size: 2 });
      const second = await page({}, { size: 2, key: first.rows.at(-1)?.id ?? null });
      const third = await page({}, { size: 2, key: second.rows.at(-1)?.id ?? null });
      assert.deepEqual(
        [first, second, third].map(({ rows }) => idsOf(rows)),
        [made.slice(0, 2), made.slice(2, 4), made.slice(4)],
      );
      assert.deepEqual([first.hasNext, second.hasNext, third.hasNext], [true, true, false]);
      assert.deepEqual(await page({}, { size: 5 }).then(({ hasNext }) => hasNext), false);
    });

    it("contains whole rows except for the outputs, which cost more", async () => {
      const finished = await services.finished(user);
      assert.deepEqual((await page()).rows, [{ ...finished, outputs: null }]);
    });

    it("with brief columns has the values of lists, and the rows of a whole page", async () => {
      assert.deepEqual(await page({}, { columns: "brief" }), { ...NO_ROWS, lastSeq: 0 });
      const finished = await services.finished(user, { priority: 7 });
      await services.submit(user);
      const { rows, hasNext, lastSeq } = await page(
        {},
        { columns: "brief", size: 1, key: "ffffffff-ffff-7fff-8fff-ffffffffffff" },
      );
      assert.deepEqual([rows.length, hasNext, lastSeq], [1, true, 4]);
      const [brief = {}] = (await page({}, { columns: "brief" })).rows.slice(1);
      const {
        id,
        userId,
        jobName,
        status,
        photoCount,
        priority,
        progress,
        attempts,
        version,
        createdAt,
      } = finished;
      assert.deepEqual(brief, {
        page: 1,
        lastSeq: 4,
        readerId: null,
        id,
        userId,
        jobName,
        status,
        photoCount,
        priority,
        progress,
        attempts,
        version,
        createdAt,
      });
    });

    it("with state columns contains everything except values that may be long", async () => {
      const finished = await services.finished(user, { priority: 7 });
      assert.deepEqual((await page({}, { columns: "state" })).rows, [
        { ...finished, outputs: null, parameters: null, result: null },
      ]);
    });

    it("is read up to the row that exceeds the budget, and reports its size", async () => {
      const made = await services.submitMany(
        user,
        Array.from({ length: 5 }, () => ({ parameters: { message: "x".repeat(1000) } })),
      );
      const read: [rows: number, bytes: number][] = [];
      const budget = {
        rowsLeft: 10,
        bytesLeft: 3000,
        takeRead: (rows: number, bytes: number) => void read.push([rows, bytes]),
      };
      assert.deepEqual(
        idsOf((await page({}, { columns: "whole", budget })).rows),
        idsOf(made).toReversed().slice(0, 2),
      );
      assert.equal(
        (await page({}, { columns: "state", budget: { ...budget, rowsLeft: 2 } })).rows.length,
        3,
      );
      const [[, whole = 0] = [], [rows] = []] = read;
      assert.ok(whole > 3000 && whole < 5000, `${whole} bytes`);
      assert.equal(rows, 3);
    });

    it("of many photos, and its counts, come in the order of the photos", async () => {
      const photos = [
        await services.newPhoto(user),
        await services.newPhoto(user),
        await services.newPhoto(user),
      ];
      const on = async (...ids: (string | undefined)[]) =>
        (await services.submit(user, { job: "album", photoIds: ids.flatMap((id) => id ?? []) })).id;
      const [a, b, c] = photos.map(({ id }) => id);
      const both = await on(a, c);
      const [one, other] = [await on(a), await on(a, a)];
      const scopes = [c, b, a].map((photoId) => scope({ photoId: photoId ?? null }));
      for (const columns of ["brief", "state", "whole"] as const) {
        const pages = await reads.pages(scopes, {
          readerId: user.id,
          size: 2,
          backward: false,
          key: null,
          columns,
        });
        assert.deepEqual(
          pages.map(({ rows, hasNext }) => [idsOf(rows), hasNext]),
          [
            [[both], false],
            [[], false],
            [[other, one], true],
          ],
          columns,
        );
        const [, , rest] = await reads.pages(scopes, {
          readerId: user.id,
          size: 2,
          backward: false,
          key: one,
          columns,
        });
        assert.deepEqual(idsOf(rest?.rows ?? []), [both]);
      }
      assert.deepEqual(await reads.counts(scopes, 2), [1, 0, 2]);
    });

    it("is empty for a user without QueuedJobs, and has the position of the stream", async () => {
      assert.deepEqual(await page(), { ...NO_ROWS, lastSeq: 0 });
      const { id } = await services.submit(user);
      await services.queuedJobs.cancel(user, id);
      await services.queuedJobs.remove(user, id);
      assert.deepEqual(await page(), { ...NO_ROWS, lastSeq: 3 });
    });

    it("has the position of the reader, whoever owns the rows", async () => {
      const reader = await services.newUser();
      await services.submit(reader);
      await services.submitMany(user, [{}, {}, {}]);
      const { rows, lastSeq } = await page({}, { readerId: reader.id });
      assert.deepEqual([rows.length, lastSeq], [3, 1]);
    });

    it("contains the QueuedJobs of all users when no user is named", async () => {
      const other = await services.newUser();
      const made = [
        await services.submit(user),
        await services.submit(other),
        await services.submit(user),
      ];
      assert.deepEqual(
        idsOf((await page({ userId: null }, { size: 3 })).rows),
        idsOf(made).toReversed(),
      );
    });

    it("and its position belong to one snapshot while others write", async () => {
      let writing = true;
      const writer = Promise.all(
        [1, 2, 3].map(async () => {
          while (writing) await services.submit(user);
        }),
      );
      for (let i = 0; i < 25; i++) {
        // Only QUEUED events exist, so the number of rows equals the sequence number.
        const { rows, lastSeq } = await page({}, { size: 100_000 });
        assert.equal(rows.length, lastSeq);
      }
      writing = false;
      await writer;
    });
  });

  describe("a filter", () => {
    it("selects by statuses and by Jobs, and by both together", async () => {
      const { id: photoId } = await services.newPhoto(user);
      const waiting = await services.submit(user);
      const album = await services.submit(user, { job: "album", photoIds: [photoId] });
      const done = await services.finished(user);
      const cases: [ListScope["filter"], string[]][] = [
        [{ statuses: ["PENDING"], jobs: null }, [album.id, waiting.id]],
        [{ statuses: ["SUCCESS", "FAILED"], jobs: null }, [done.id]],
        [{ statuses: null, jobs: ["echo"] }, [done.id, waiting.id]],
        [{ statuses: ["PENDING"], jobs: ["echo"] }, [waiting.id]],
        [{ statuses: [], jobs: null }, []],
        [{ statuses: null, jobs: [] }, []],
        [{ statuses: null, jobs: ["nope", "' or true --"] }, []],
      ];
      for (const [filter, ids] of cases) {
        assert.deepEqual(idsOf((await page({ filter })).rows), ids, JSON.stringify(filter));
        assert.equal(await reads.count(scope({ filter }), 10), ids.length, JSON.stringify(filter));
      }
    });

    it("by photo selects the QueuedJobs with that photo, each once", async () => {
      const [a, b] = [await services.newPhoto(user), await services.newPhoto(user)];
      const both = await services.submit(user, { job: "album", photoIds: [a.id, b.id, a.id] });
      const one = await services.submit(user, { job: "album", photoIds: [b.id] });
      assert.deepEqual(
        [
          idsOf((await page({ photoId: a.id })).rows),
          idsOf((await page({ photoId: b.id })).rows),
          (await page({ photoId: uuidv7() })).rows,
        ],
        [[both.id], [one.id, both.id], []],
      );
      assert.deepEqual(
        [
          await reads.count(scope({ photoId: a.id }), 10),
          await reads.count(scope({ photoId: b.id }), 10),
        ],
        [1, 2],
      );
    });
  });

  it("counts exactly up to a maximum and stops there", async () => {
    await services.submitMany(user, [{}, {}, {}, {}]);
    assert.deepEqual(
      [await reads.count(scope(), 3), await reads.count(scope(), 4), await reads.count(scope(), 5)],
      [3, 4, 4],
    );
  });
});
