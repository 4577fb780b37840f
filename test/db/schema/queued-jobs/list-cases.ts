import assert from "node:assert/strict";
import type { Database } from "../../../../src/db/database.js";
import { createQueuedJobReads } from "../../../../src/services/reads/queued-job-reads.js";
import type { QueuedJobStatus } from "../../../../src/domain/queued-job-status.js";
import type { User } from "../../../../src/services/users/users.js";
import type { SeededRows } from "./seeded-rows.js";

/** What is done, how many rows it may read, and how. */
export type IndexCase = [
  what: string,
  most: number,
  work: (database: Database) => Promise<unknown>,
];

const all = { statuses: null, jobs: null };

/** Pages and counts of lists; `people` are there once the rows are. */
export function listCases(people: () => Pick<SeededRows, "crowd" | "person">): IndexCase[] {
  return [
    [
      "a page of a user with thousands",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().crowd.id, photoId: null, filter: all },
          { readerId: people().crowd.id, first: 50, beforeId: null },
        ),
    ],
    [
      "a page of theirs in a list",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().crowd.id, photoId: null, filter: all },
          { readerId: people().crowd.id, first: 50, beforeId: null, columns: "brief" },
        ),
    ],
    [
      "the few that failed of theirs",
      100,
      (database) => pageIn(database, people().crowd, ["FAILED"], 5),
    ],
    [
      "the few without success of theirs",
      100,
      (database) => pageIn(database, people().crowd, ["FAILED", "CANCELLED"], 10),
    ],
    [
      "the few unfinished of theirs, which are none",
      100,
      (database) => pageIn(database, people().crowd, ["PENDING", "STARTED"], 0),
    ],
    [
      "those with success of theirs",
      160,
      (database) => pageIn(database, people().crowd, ["SUCCESS"], 50),
    ],
    ...otherListCases(people),
  ];
}

function otherListCases(people: () => Pick<SeededRows, "crowd" | "person">): IndexCase[] {
  return [
    [
      "a late page of theirs",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().crowd.id, photoId: null, filter: all },
          {
            readerId: people().crowd.id,
            first: 50,
            beforeId: "01900000-0000-0000-0000-000000000200",
          },
        ),
    ],
    [
      "a page of a user with few",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: people().person.id, photoId: null, filter: all },
          { readerId: people().person.id, first: 50, beforeId: null },
        ),
    ],
    [
      "a page of everybody's",
      100,
      (database) =>
        createQueuedJobReads(database).page(
          { userId: null, photoId: null, filter: all },
          { readerId: people().person.id, first: 50, beforeId: null },
        ),
    ],
    ["the page of a photo", 20, (database) => pageOfPhoto(database, people().crowd)],
    [
      "a count of a user with few",
      100,
      (database) =>
        createQueuedJobReads(database).count(
          { userId: people().person.id, photoId: null, filter: all },
          10_000,
        ),
    ],
  ];
}

/** A page and a count. */
async function pageIn(
  database: Database,
  crowd: User,
  statuses: QueuedJobStatus[],
  found: number,
): Promise<void> {
  const [scope, reads] = [
    { userId: crowd.id, photoId: null, filter: { statuses, jobs: null } },
    createQueuedJobReads(database),
  ];
  const { rows } = await reads.page(scope, {
    readerId: crowd.id,
    first: 50,
    beforeId: null,
    columns: "state",
  });
  assert.deepEqual([rows.length, await reads.count(scope, 50)], [found, found]);
}
async function pageOfPhoto(database: Database, crowd: User): Promise<unknown> {
  const [photo] = await database.sql<{ id: string }[]>`select photo_id as id from queued_job_photos
    where queued_job_id = '01900000-0000-0000-0000-000000000200'`;
  const { rows } = await createQueuedJobReads(database).page(
    { userId: crowd.id, photoId: photo?.id ?? "", filter: all },
    { readerId: crowd.id, first: 50, beforeId: null },
  );
  return assert.equal(rows.length, 1);
}
