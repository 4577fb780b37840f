import assert from "node:assert/strict";
import type { Database } from "../../../../src/db/database.js";
import { createQueuedJobReads } from "../../../../src/services/reads/queued-job-reads.js";
import type { PageQuery } from "../../../../src/services/reads/list-pages.js";
import type { ListScope } from "../../../../src/services/reads/list-scan.js";
import type { QueuedJobStatus } from "../../../../src/domain/queued-job-status.js";
import type { User } from "../../../../src/services/users/users.js";
import type { SeededRows } from "./seeded-rows.js";

/** A query, the maximum rows that it may read, and the call. */
export type IndexCase = [
  what: string,
  maxRows: number,
  work: (database: Database) => Promise<unknown>,
];

const all = { statuses: null, jobs: null };

/** Pages and counts of lists; `people` works once the rows exist. */
export function listCases(people: () => Pick<SeededRows, "busy" | "person">): IndexCase[] {
  return [
    [
      "a page of a user with thousands of rows",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().busy.id, photoId: null, filter: all },
          { readerId: people().busy.id, size: 50, backward: false, key: null },
        ),
    ],
    [
      "a page of its brief columns",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().busy.id, photoId: null, filter: all },
          { readerId: people().busy.id, size: 50, backward: false, key: null, columns: "brief" },
        ),
    ],
    ["its few failed rows", 100, (database) => pageIn(database, people().busy, ["FAILED"], 5)],
    [
      "its few failed and cancelled rows",
      100,
      (database) => pageIn(database, people().busy, ["FAILED", "CANCELLED"], 10),
    ],
    [
      "its unfinished rows, of which there are none",
      100,
      (database) => pageIn(database, people().busy, ["PENDING", "STARTED"], 0),
    ],
    ["its successful rows", 160, (database) => pageIn(database, people().busy, ["SUCCESS"], 50)],
    ...otherListCases(people),
  ];
}

function otherListCases(people: () => Pick<SeededRows, "busy" | "person">): IndexCase[] {
  return [
    [
      "a late page of it",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().busy.id, photoId: null, filter: all },
          {
            readerId: people().busy.id,
            size: 50,
            backward: false,
            key: "01900000-0000-0000-0000-000000000200",
          },
        ),
    ],
    [
      "a page of a user with few rows",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().person.id, photoId: null, filter: all },
          { readerId: people().person.id, size: 50, backward: false, key: null },
        ),
    ],
    [
      "a page of all users",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: null, photoId: null, filter: all },
          { readerId: people().person.id, size: 50, backward: false, key: null },
        ),
    ],
    ...pageCases(people),
    ["the page of a photo", 20, (database) => pageOfPhoto(database, people().busy)],
    [
      "a count of a user with few rows",
      100,
      (database) =>
        createQueuedJobReads(database).count(
          { userId: people().person.id, photoId: null, filter: all },
          10_000,
        ),
    ],
  ];
}

/** Pages in the middle of long lists, in both directions. */
function pageCases(people: () => Pick<SeededRows, "busy" | "person">): IndexCase[] {
  const key = "01900000-0000-0000-0000-000000002710";
  const cases: [what: string, more: Partial<ListScope>, range: Partial<PageQuery>, rows: number][] =
    [
      ["the last page of its brief columns", {}, { backward: true, columns: "brief" }, 50],
      ["a previous page of its brief columns", {}, { backward: true, key, columns: "brief" }, 50],
      ["a next page of its brief columns", {}, { key, columns: "brief" }, 50],
      ["a previous page of it", {}, { backward: true, key, columns: "state" }, 50],
      ["a previous page of all users", { userId: null }, { backward: true, key }, 50],
      [
        "a previous page of its successful rows",
        inStatuses("SUCCESS"),
        { backward: true, key },
        50,
      ],
      ["a next page of its successful rows", inStatuses("SUCCESS"), { key }, 50],
      [
        "a previous page of its failed rows",
        inStatuses("FAILED", "CANCELLED"),
        { backward: true, key },
        0,
      ],
      ["a next page of its failed rows", inStatuses("FAILED", "CANCELLED"), { key }, 10],
    ];
  return [
    ...cases.map(([what, more, query, rows]): IndexCase => [
      what,
      160,
      async (database) => {
        const { id } = people().busy;
        const page = await createQueuedJobReads(database).page(
          { userId: id, photoId: null, filter: all, ...more },
          { readerId: id, size: 50, backward: false, key: null, columns: "state", ...query },
        );
        assert.equal(page.rows.length, rows);
        assert.equal(page.hasPrevious && page.hasNext, query.key !== undefined && rows === 50);
      },
    ]),
    [
      "a previous page of a user with few rows",
      100,
      async (database) => {
        const { id } = people().person;
        const page = await createQueuedJobReads(database).page(
          { userId: id, photoId: null, filter: all },
          { readerId: id, size: 50, backward: true, key, columns: "brief" },
        );
        assert.deepEqual([page.rows.length, page.hasPrevious, page.hasNext], [40, false, false]);
      },
    ],
  ];
}

const inStatuses = (...statuses: QueuedJobStatus[]) => ({ filter: { statuses, jobs: null } });

/** Reads a page and a count. */
async function pageIn(
  database: Database,
  busy: User,
  statuses: QueuedJobStatus[],
  expected: number,
): Promise<void> {
  const [scope, reads] = [
    { userId: busy.id, photoId: null, filter: { statuses, jobs: null } },
    createQueuedJobReads(database),
  ];
  const { rows } = await reads.page(scope, {
    readerId: busy.id,
    size: 50,
    backward: false,
    key: null,
    columns: "state",
  });
  assert.deepEqual([rows.length, await reads.count(scope, 50)], [expected, expected]);
}
async function pageOfPhoto(database: Database, busy: User): Promise<unknown> {
  const [photo] = await database.sql<{ id: string }[]>`select photo_id as id from queued_job_photos
    where queued_job_id = '01900000-0000-0000-0000-000000000200'`;
  const { rows } = await createQueuedJobReads(database).page(
    { userId: busy.id, photoId: photo?.id ?? "", filter: all },
    { readerId: busy.id, size: 50, backward: false, key: null },
  );
  return assert.equal(rows.length, 1);
}
